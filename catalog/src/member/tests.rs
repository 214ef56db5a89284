//! Who is on a network, in the words of every runtime.

use serde_json::json;

use super::*;
use crate::sample::entry;

/// What the reference's bridge answers, and ours.
fn of_bridge() -> Value {
    json!({
        "interfaces": [
            {"name": "web", "mac": "02:00:00:00:00:01"},
            {"name": "veth0a", "mac": "02:00:00:00:00:02"},
            {"name": "eth0", "mac": "02:00:00:00:00:03", "sandbox": "/run/netns/blue"},
        ],
        "ips": [
            {"address": "10.1.0.7/24", "interface": 2},
            {"address": "10.2.0.7/24", "interface": 2},
            {"address": "fd10::7/64", "interface": 2},
        ],
    })
}

fn member(result: &Value) -> Member {
    Member::of(&entry("web", "c0ffee", result))
}

fn with(capability_args: Value) -> Member {
    let capability_args = capability_args.as_object().cloned().unwrap();
    Member::of(&Entry { capability_args, ..entry("web", "c0ffee", &json!({})) })
}

#[test]
fn a_member_is_what_its_add_answered() {
    let member = member(&of_bridge());
    assert_eq!((member.network.as_str(), member.attachment.to_string()), ("web", "c0ffee/eth0".to_owned()));
    assert_eq!(member.mac.map(|mac| mac.to_string()).as_deref(), Some("02:00:00:00:00:03"));
    assert_eq!(member.host_interface.as_ref().map(InterfaceName::as_str), Some("veth0a"));
    assert_eq!(member.address(Family::V4).unwrap().to_string(), "10.1.0.7/24");
    assert_eq!(member.address(Family::V6).unwrap().to_string(), "fd10::7/64");
    assert_eq!(member.netns.as_deref(), Some(Path::new("/run/netns/blue")), "the runtime noted none");
    assert!(!member.is_standing, "nothing is there");
}

#[test]
fn a_person_knows_it_by_its_name_or_id_and_its_place() {
    let unnamed = member(&of_bridge());
    assert_eq!(unnamed.to_string(), "c0ffee (eth0, 10.1.0.7, 10.2.0.7, fd10::7)");
    let args = cni::Args::parse("IgnoreUnknown=1;K8S_POD_NAME=web-1").unwrap();
    let named = Member::of(&Entry { args, ..entry("web", "c0ffee", &json!({})) });
    assert_eq!((named.to_string().as_str(), named.label()), ("web-1 (eth0)", "web-1"));
}

#[test]
fn the_host_s_end_is_what_each_plugin_answers() {
    let end = |interfaces: Value| {
        member(&json!({ "interfaces": interfaces })).host_interface.map(|end| end.to_string())
    };
    let inside = json!({"name": "eth0", "sandbox": "/run/netns/blue"});
    assert_eq!(end(json!([{"name": "web"}, {"name": "veth0a"}, inside])).as_deref(), Some("veth0a"));
    // With a VLAN the bridge's own interface in it comes third.
    assert_eq!(
        end(json!([{"name": "web"}, {"name": "veth0a"}, {"name": "web.7"}, inside])).as_deref(),
        Some("veth0a")
    );
    assert_eq!(end(json!([{"name": "veth0a"}, inside])).as_deref(), Some("veth0a"), "ptp");
    assert_eq!(end(json!([inside])), None, "macvlan");
    assert_eq!(end(json!([])), None);
    // The plugin `host` names what the host has.
    assert_eq!(end(json!([{"name": "eth0"}, {"name": "eth1"}])), None);
    assert_eq!(end(json!([{"name": "a/b"}, inside])), None);
}

#[test]
fn what_is_no_mac_address_is_none() {
    for wrong in ["", "x", "02:00:00:00:00"] {
        let interfaces = json!([{"name": "eth0", "mac": wrong, "sandbox": "/run/netns/blue"}]);
        assert_eq!(member(&json!({ "interfaces": interfaces })).mac, None, "{wrong}");
    }
}

fn ports(written: Value) -> Vec<String> {
    with(json!({ "portMappings": written })).ports.iter().map(ToString::to_string).collect()
}

#[test]
fn ports_are_read_in_every_client_s_spelling() {
    // containerd
    let go = json!([{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]);
    assert_eq!(ports(go), ["8080:80/tcp"]);
    // podman
    let camel = json!([{"hostPort": 53, "containerPort": 5353, "protocol": "udp", "hostIP": "127.0.0.1"}]);
    assert_eq!(ports(camel), ["127.0.0.1:53:5353/udp"]);
    // A person, and scripts.
    let terse = json!([{"hostport": 9000, "containerport": 9000}, {"hostPort": 1, "containerPort": 2, "hostIP": "[::1]",
                        "protocol": "SCTP"}]);
    assert_eq!(ports(terse), ["9000:9000/tcp", "[::1]:1:2/sctp"]);
    assert_eq!(
        ports(json!([{"hostPort": 8080, "containerPort": 80, "hostIP": "0.0.0.0"}])),
        ["0.0.0.0:8080:80/tcp"]
    );
}

#[test]
fn what_is_no_port_leads_nowhere_and_hides_no_other() {
    let written = json!([
        {"hostPort": 0, "containerPort": 80},
        {"hostPort": 65_536, "containerPort": 80},
        {"hostPort": "8080", "containerPort": 80},
        {"hostPort": 8080, "containerPort": 80, "protocol": "icmp"},
        {"hostPort": 8080, "containerPort": 80, "hostIP": "localhost"},
        {"containerPort": 80},
        {}, null, 7,
        {"hostPort": 8081, "containerPort": 80},
    ]);
    assert_eq!(ports(written), ["8081:80/tcp"]);
    for none in [json!(null), json!({}), json!("x"), json!([])] {
        assert_eq!(ports(none), Vec::<String>::new());
    }
    assert!(with(json!({})).ports.is_empty());
}

#[test]
fn aliases_are_those_of_this_network() {
    let aliases = |written: Value| with(json!({ "aliases": written })).aliases;
    assert_eq!(aliases(json!({"web": ["api", "www"], "db": ["sql"]})), ["api", "www"]);
    assert_eq!(aliases(json!({"web": ["api", 7, null]})), ["api"]);
    for none in [json!({"db": ["sql"]}), json!({"web": "api"}), json!(["api"]), json!(null)] {
        assert_eq!(aliases(none), Vec::<String>::new());
    }
}
