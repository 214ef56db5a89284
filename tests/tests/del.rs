//! DEL takes away whatever is left, however little is known, and a second one finds nothing to do.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{BRIDGE, dual, with};
use tests::facts::{addresses, links, pings, ruleset};
use tests::{Allowed, Before, Call, Container, PluginFolder, Stage, Surprise, Test};

/// A network with everything that leaves something on a host.
fn config() -> Value {
    with(dual(), json!({"ipMasq": true, "macspoofchk": true, "hairpinMode": true}))
}

/// What happened to the host between ADD and DEL.
struct Damage {
    name: &'static str,
    /// A script; `$PORT` is the host's end.
    script: &'static str,
    /// What the script itself takes away, which is then missed for that reason.
    takes: &'static [&'static str],
}

const DAMAGES: [Damage; 9] = [
    Damage { name: "nothing", script: "true", takes: &[] },
    Damage { name: "the namespace is gone", script: "ip netns delete web", takes: &[] },
    Damage { name: "the bridge is gone", script: "ip link delete br0", takes: &[] },
    Damage { name: "the lease is gone", script: "rm /var/lib/cni/networks/net/10.1.0.*", takes: &[] },
    Damage {
        name: "all state is gone",
        script: "rm -r /var/lib/cni/networks /run/netctl",
        takes: &["gone file: /var/lib/cni/networks"],
    },
    Damage { name: "the host's end is gone", script: "ip link delete $PORT", takes: &[] },
    Damage {
        name: "the container's end has another name",
        script: "ip -n web link set eth0 down; ip -n web link set eth0 name eth9",
        takes: &[],
    },
    Damage { name: "the host's end has no master", script: "ip link set $PORT nomaster", takes: &[] },
    Damage { name: "the firewall is flushed", script: "nft flush ruleset", takes: &["gone nftables: "] },
];

/// What the runtime still knows, as containerd, CRI-O, podman and `ctr` call it.
fn knowledge<'a>(call: &Call<'a>, result: &Value) -> Vec<(&'static str, Call<'a>)> {
    let with_result = call.clone().after(result);
    vec![
        ("everything", with_result.clone()),
        ("no result", call.clone()),
        ("an empty CNI_NETNS", with_result.netns("")),
        ("neither", call.clone().without("CNI_NETNS")),
        ("a dead CNI_NETNS", call.clone().netns("/run/netns/dead")),
        // What is left of /run/netns/NAME when its mount is gone.
        ("a CNI_NETNS that is a plain file", call.clone().netns("/etc/hostname")),
        ("a result of nonsense", call.clone().after(&json!({"cniVersion": "1.1.0", "interfaces": "none"}))),
        ("a result of an unknown version", call.clone().after(&json!({"cniVersion": "7.0.0"}))),
    ]
}

fn survives(damage: &Damage) -> Test {
    let stage = Stage::new("del")?;
    // The constant part of the firewall, and the folders, come with the first container of a host.
    let first = stage.container("first")?;
    stage.call("bridge", &config()).of(&first).add().result()?;
    stage.call("bridge", &config()).of(&first).del().done()?;
    let before = Before::of(&stage)?;
    for number in 0.. {
        let web = stage.container("web")?;
        let call = stage.call("bridge", &config()).of(&web);
        let result = call.add().result()?;
        let port = tests::facts::plain(&result["interfaces"][1]["name"]);
        stage.host().sh(&format!("PORT={port}; {}", damage.script)).ok()?;
        let Some((known, call)) = knowledge(&call, &result).into_iter().nth(number) else { break };
        let context = format!("{}, known is {known}", damage.name);
        for time in ["first", "second"] {
            if let Err(error) = call.del().done() {
                return Err(Surprise::new(format!("{context}, {time} DEL"), error).into());
            }
        }
        stage.host().sh("ip netns delete web 2>/dev/null || true").ok()?;
        let mut changes = before.changes(Allowed::Network(BRIDGE))?;
        changes.retain(|line| !damage.takes.iter().any(|taken| line.starts_with(taken)));
        assert!(changes.is_empty(), "{context}: {changes:#?}");
    }
    Ok(())
}

#[test]
fn after_nothing_but_add() -> Test {
    survives(&DAMAGES[0])
}

#[test]
fn after_the_namespace_is_gone() -> Test {
    survives(&DAMAGES[1])
}

#[test]
fn after_the_bridge_is_gone() -> Test {
    survives(&DAMAGES[2])
}

#[test]
fn after_the_lease_is_gone() -> Test {
    survives(&DAMAGES[3])
}

#[test]
fn after_all_state_is_gone() -> Test {
    survives(&DAMAGES[4])
}

#[test]
fn after_the_hosts_end_is_gone() -> Test {
    survives(&DAMAGES[5])
}

#[test]
fn after_the_containers_end_was_renamed() -> Test {
    survives(&DAMAGES[6])
}

#[test]
fn after_the_hosts_end_left_the_bridge() -> Test {
    survives(&DAMAGES[7])
}

#[test]
fn after_the_firewall_was_flushed() -> Test {
    survives(&DAMAGES[8])
}

#[test]
fn before_any_add() -> Test {
    let stage = Stage::new("before")?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    for (known, call) in knowledge(&stage.call("bridge", &config()).of(&web), &json!({})) {
        if let Err(error) = call.del().done() {
            return Err(Surprise::new(known, error).into());
        }
    }
    for plugin in ["loopback", "none", "host-local", "static", "host"] {
        let call = stage.call(plugin, &with(config(), json!({"type": plugin}))).of(&web);
        for call in [call.clone(), call.clone().netns(""), call.without("CNI_NETNS")] {
            call.del().done()?;
        }
    }
    assert_eq!(before.changes(Allowed::Books)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn the_other_containers_do_not_notice() -> Test {
    let stage = Stage::new("others")?;
    let containers = stage.containers("c", 3)?;
    let mut results = Vec::new();
    for container in &containers {
        results.push(stage.call("bridge", &config()).of(container).add().result()?);
    }
    let call = |index: usize| stage.call("bridge", &config()).of(&containers[index]);
    containers[0].vanish(&stage)?;
    call(0).without("CNI_NETNS").del().done()?;
    // A container that reuses the id of the one whose DEL comes late.
    for index in [1, 2] {
        call(index).after(&results[index]).check().done()?;
        assert!(pings(&containers[index], "10.1.0.1"));
    }
    Ok(())
}

#[test]
fn the_hosts_own_interfaces_are_never_the_containers() -> Test {
    let stage = Stage::new("own")?;
    stage.host().sh("ip link add eth0 type veth peer name up0; ip link set eth0 up; ip addr add 192.0.2.1/24 dev eth0").ok()?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &config()).of(&web);
    for path in ["/proc/self/ns/net", "/proc/1/ns/net", "/proc/thread-self/ns/net"] {
        let result = call.add().result()?;
        // Whether this is an error or not, it cleans up what is the attachment's and nothing else.
        let answer = call.clone().after(&result).netns(path).del();
        assert!(answer.succeeded() || answer.error_code() == Some(8), "{}", answer.outcome());
        assert_eq!(addresses(stage.host(), "eth0")?, ["192.0.2.1/24"]);
        let left = before.changes(Allowed::Network(BRIDGE))?;
        assert_eq!(left, Vec::<String>::new(), "{path}");
        call.del().done()?;
    }
    Ok(())
}

#[test]
fn a_strangers_interface_in_the_container_stays() -> Test {
    let stage = Stage::new("stranger")?;
    let web = stage.container("web")?;
    web.sh("ip link add eth0 type bridge").ok()?;
    let call = stage.call("bridge", &config()).of(&web);
    call.del().done()?;
    // The reference takes any link of that name: the runtime says it is the container's. A bridge cannot be.
    let left = links(&web)?;
    assert!(left == ["lo", "eth0"] || left == ["lo"], "{left:?}");
    Ok(())
}

#[test]
fn an_ipam_plugin_that_is_missing_is_told_and_the_rest_is_done() -> Test {
    let stage = Stage::new("missing")?;
    let web = stage.container("web")?;
    let call = stage.call("bridge", &config()).of(&web);
    call.add().result()?;
    let nowhere = PluginFolder::empty()?;
    nowhere.link("bridge")?;
    call.clone().by(&nowhere).del().error(7, &["host-local"])?;
    assert_eq!(links(&web)?, ["lo"], "the link is gone all the same");
    call.del().done()?;
    stage.host().sh("test ! -e /var/lib/cni/networks/net/10.1.0.2").ok()?;
    Ok(())
}

#[test]
fn an_ipam_plugin_that_fails_is_told_and_the_rest_is_done() -> Test {
    let plugins = PluginFolder::empty()?;
    plugins.link("bridge")?;
    let script = r#"[ $CNI_COMMAND = ADD ] && echo '{"ips":[{"address":"10.1.0.9/24"}]}' || { echo '{"code":111,"msg":"never"}'; exit 1; }"#;
    plugins.script("stubborn", script)?;
    let stage = Stage::with("stubborn", plugins)?;
    let web = stage.container("web")?;
    let before = Before::of(&stage)?;
    let call = stage.call("bridge", &with(config(), json!({"ipam": {"type": "stubborn"}}))).of(&web);
    call.add().result()?;
    call.del().error(111, &["never"])?;
    assert_eq!(links(&web)?, ["lo"]);
    assert_eq!(before.changes(Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_renamed_network_is_taken_away_all_the_same() -> Test {
    let stage = Stage::new("renamed")?;
    let web = stage.container("web")?;
    let call = stage.call("bridge", &config()).of(&web);
    call.add().result()?;
    web.vanish(&stage)?;
    let renamed = with(config(), json!({"name": "renamed", "bridge": "br9"}));
    stage.call("bridge", &renamed).of(&web).without("CNI_NETNS").del().done()?;
    assert_eq!(links(stage.host())?, ["lo", BRIDGE]);
    let rules = ruleset(stage.host())?;
    assert!(!rules.contains("web"), "{rules}");
    Ok(())
}

#[test]
fn a_check_that_was_switched_off_meanwhile_does_not_stop_the_next_life() -> Test {
    let stage = Stage::new("switched-off")?;
    let web = stage.container("web")?;
    let without =
        stage.call("bridge", &with(config(), json!({"macspoofchk": false, "ipMasq": false}))).of(&web);
    stage.call("bridge", &config()).of(&web).add().result()?;
    without.del().done()?;
    // podman restarts a container under its id; its address, and so its link-layer address, is another now.
    without.add().result()?;
    assert!(pings(&web, "10.1.0.1"), "{}", ruleset(stage.host())?);
    Ok(())
}

#[test]
fn a_container_that_came_back_under_its_old_id_is_not_disturbed_twice() -> Test {
    let stage = Stage::new("restart")?;
    for _ in 0..3 {
        let web: Container = stage.container("web")?;
        let call = stage.call("bridge", &config()).of(&web);
        // podman's way: DEL before ADD to be on the safe side, then a crash, then DEL without a namespace.
        call.del().done()?;
        call.add().result()?;
        assert!(pings(&web, "10.1.0.1"));
        web.vanish(&stage)?;
        call.netns("").del().done()?;
    }
    Ok(())
}
