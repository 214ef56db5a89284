//! The networks that every host has, for each thing that daemon.json may say.

use cni::Fault;
use ipnetwork::IpNetwork;

use super::*;
use crate::facts::{LinkFact, Uplink};
use crate::taken::By;
use crate::view::View;

const FILE: &str = "/etc/netctl/daemon.json";
const MACHINE: &str = "0123456789abcdef";

/// A host in 10.0.0.0/16, with the bridge `br0` that somebody made.
fn facts() -> HostFacts {
    let eth0 = Some(link("eth0"));
    let route = By::Route { link: eth0.clone(), router: None };
    HostFacts {
        taken: vec![
            Taken { network: network("10.0.0.7/16"), by: By::Address { link: eth0 } },
            Taken { network: network("10.0.0.0/16"), by: route },
            Taken { network: network("192.168.9.1/24"), by: By::Address { link: Some(link("br0")) } },
        ],
        uplink: Some(Uplink { name: link("eth0"), mtu: 1500 }),
        routers: Vec::new(),
        links: vec![
            fact("eth0", None, None, &["10.0.0.7/16"]),
            fact(
                "br0",
                Some("bridge"),
                None,
                &["169.254.1.1/16", "192.168.9.1/24", "fe80::1/64", "fd09::9/64"],
            ),
            fact("wg0", Some("wireguard"), None, &[]),
        ],
    }
}

fn fact(name: &str, kind: Option<&str>, alias: Option<&str>, addresses: &[&str]) -> LinkFact {
    LinkFact {
        name: link(name),
        kind: kind.map(str::to_owned),
        alias: alias.map(str::to_owned),
        mtu: 1500,
        addresses: addresses.iter().map(|address| network(address)).collect(),
    }
}

fn link(text: &str) -> InterfaceName {
    InterfaceName::new(text).unwrap()
}

fn network(text: &str) -> IpNetwork {
    subnet::parse(text).unwrap()
}

fn made(facts: &HostFacts, daemon: &str, others: &[Taken]) -> Result<Option<List>, BuiltInError> {
    let daemon = DaemonFile::parse(daemon.as_bytes()).unwrap_or_else(|fault| panic!("{daemon}: {fault}"));
    let file = Path::new(FILE);
    bridge(Sources { daemon: &daemon, file, facts, others, machine_id: MACHINE })
}

/// The first plugin of network `bridge` on a host.
#[track_caller]
fn plugin_on(facts: &HostFacts, daemon: &str) -> Value {
    let list = made(facts, daemon, &[]).unwrap_or_else(|error| panic!("{daemon}: {error}"));
    Value::Object(list.unwrap().plugins()[0].object().clone())
}

#[track_caller]
fn plugin(daemon: &str) -> Value {
    plugin_on(&facts(), daemon)
}

/// Why there is no network `bridge`, and the way out.
#[track_caller]
fn refused(daemon: &str) -> (String, String) {
    let error = made(&facts(), daemon, &[]).unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

#[test]
fn an_empty_file_makes_docker_s_network() {
    let list = made(&facts(), "{}", &[]).unwrap().unwrap();
    let expected = json!({
        "cniVersion": "1.1.0",
        "name": "bridge",
        "netctl": {},
        "plugins": [
            {
                "type": "bridge",
                "bridge": "bridge",
                "bip": "172.17.0.1/16",
                "gatewayMode": "nat",
                "ipMasq": true,
                "hairpinMode": true,
                "dns": {},
                "capabilities": {"ips": true, "mac": true},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall"},
        ],
    });
    assert_eq!(serde_json::from_slice::<Value>(list.bytes()).unwrap(), expected);
}

#[test]
fn each_key_is_told_to_the_plugin() {
    let cases = [
        (r#"{"ip-masq": false}"#, "/ipMasq", json!(false)),
        (r#"{"icc": false}"#, "/portIsolation", json!(true)),
        (r#"{"ip-forward": false}"#, "/ipForward", json!(false)),
        (r#"{"mtu": 1400}"#, "/mtu", json!(1400)),
        (r#"{"dns": ["10.0.0.53"]}"#, "/dns/nameservers", json!(["10.0.0.53"])),
        (r#"{"dns-search": ["corp"]}"#, "/dns/search", json!(["corp"])),
        (r#"{"dns-opts": ["ndots:2"]}"#, "/dns/options", json!(["ndots:2"])),
        (r#"{"bip": "192.168.1.5/24"}"#, "/bip", json!("192.168.1.5/24")),
        (r#"{"fixed-cidr": "192.168.1.0/24"}"#, "/fixed-cidr", json!("192.168.1.0/24")),
        (r#"{"fixed-cidr-v6": "fd17::/64"}"#, "/fixed-cidr-v6", json!("fd17::/64")),
        (r#"{"bip6": "fd17::5/64"}"#, "/bip6", json!("fd17::5/64")),
        (
            r#"{"bip": "192.168.1.5/24", "default-gateway": "192.168.1.9"}"#,
            "/default-gateway",
            json!("192.168.1.9"),
        ),
        (
            r#"{"bip6": "fd17::5/64", "default-gateway-v6": "fd17::9"}"#,
            "/default-gateway-v6",
            json!("fd17::9"),
        ),
        (r#"{"bridge": "br0"}"#, "/bridge", json!("br0")),
    ];
    let plain = plugin("{}");
    for (daemon, pointer, expected) in cases {
        assert_eq!(plugin(daemon).pointer(pointer), Some(&expected), "{daemon}");
        assert_ne!(plain.pointer(pointer), Some(&expected), "{daemon}");
    }
}

#[test]
fn ports_are_published_at_the_address_that_is_named() {
    let binding = |daemon: &str| {
        let list = made(&facts(), daemon, &[]).unwrap().unwrap();
        View::of(&list).host_binding.map(|address| address.to_string())
    };
    assert_eq!(binding("{}"), None);
    assert_eq!(binding(r#"{"ip": "127.0.0.1"}"#).as_deref(), Some("127.0.0.1"));
    assert_eq!(binding(r#"{"ip": "0.0.0.0"}"#), None, "Docker means both families");
    assert_eq!(binding(r#"{"ip": "::"}"#).as_deref(), Some("::"));
}

#[test]
fn what_is_silent_is_completed_from_the_pools() {
    let own = pool::unique_local(MACHINE).unwrap().base().network();
    let bip6 = format!("{}/64", subnet::step(own, 1));
    let both = plugin(r#"{"ipv6": true}"#);
    assert_eq!((&both["bip"], &both["bip6"]), (&json!("172.17.0.1/16"), &json!(bip6)));
    let pools = r#"{"default-address-pools": [{"base": "10.0.0.0/8", "size": 16}, {"base": "fd50::/48", "size": 64}],
                    "ipv6": true}"#;
    let both = plugin(pools);
    assert_eq!((&both["bip"], &both["bip6"]), (&json!("10.1.0.1/16"), &json!("fd50::1/64")));
    // What is named of one family leaves the other to the pools.
    let v6 = plugin(r#"{"fixed-cidr-v6": "fd17::/64"}"#);
    assert_eq!((&v6["bip"], v6.get("bip6")), (&json!("172.17.0.1/16"), None));
    let fixed = plugin(r#"{"fixed-cidr": "192.168.1.0/24"}"#);
    assert_eq!(fixed.get("bip"), None, "its network is that");
}

#[test]
fn other_networks_and_the_host_are_kept_clear_of() {
    let others = [Taken { network: network("172.17.9.0/24"), by: By::Network(name("web")) }];
    let list = made(&facts(), "{}", &others).unwrap().unwrap();
    assert_eq!(list.plugins()[0].object()["bip"], "172.18.0.1/22");
    let (error, hint) = refused(r#"{"bip": "10.0.5.1/24"}"#);
    assert_eq!(
        error,
        format!("bip 10.0.5.1/24 of {FILE}: it overlaps the host's route 10.0.0.0/16 dev eth0")
    );
    assert_eq!(hint, "choose another bip; without one a free subnet is chosen");
    let error = made(&facts(), r#"{"fixed-cidr": "172.17.0.0/16"}"#, &others).unwrap_err().to_string();
    assert_eq!(error, format!("fixed-cidr 172.17.0.0/16 of {FILE}: it overlaps network web (172.17.9.0/24)"));
}

fn name(text: &str) -> vocab::NetworkName {
    vocab::NetworkName::new(text).unwrap()
}

#[test]
fn pools_may_be_empty() {
    let (error, hint) = refused(r#"{"default-address-pools": [{"base": "10.0.0.0/16", "size": 24}]}"#);
    let expected = "no IPv4 subnet is free for network bridge: each of the address pools overlaps a network or a route \
                    of this host";
    assert_eq!((error.as_str(), hint.as_str()), (expected, "name one with bip or fixed-cidr in daemon.json"));
    let others = [Taken { network: network("fd50::/48"), by: By::Network(name("web")) }];
    let pools = r#"{"default-address-pools": [{"base": "fd50::/48", "size": 64}], "ipv6": true}"#;
    let error = made(&facts(), pools, &others).unwrap_err().to_string();
    assert!(error.starts_with("no IPv6 subnet is free for network bridge"), "{error}");
}

#[test]
fn a_bridge_of_ours_keeps_the_addresses_that_were_chosen() {
    let mut facts = facts();
    let alias = Some("netctl network bridge");
    facts.links.push(fact("bridge", Some("bridge"), alias, &["172.19.4.1/22", "fe80::1/64", "fd77::1/64"]));
    facts
        .taken
        .push(Taken { network: network("172.19.4.1/22"), by: By::Address { link: Some(link("bridge")) } });
    let kept = plugin_on(&facts, r#"{"ipv6": true}"#);
    assert_eq!((&kept["bip"], &kept["bip6"]), (&json!("172.19.4.1/22"), &json!("fd77::1/64")));
    assert_eq!(plugin_on(&facts, "{}").get("bip6"), None);
    // What daemon.json names wins over what was chosen before, and is not in its own way.
    assert_eq!(plugin_on(&facts, r#"{"bip": "172.19.4.9/24"}"#)["bip"], "172.19.4.9/24");
    assert_eq!(plugin_on(&facts, r#"{"fixed-cidr": "172.19.5.0/24"}"#).get("bip"), None);
    // One that somebody else made and that daemon.json does not name is asked nothing.
    facts.links.last_mut().unwrap().alias = None;
    assert_eq!(plugin_on(&facts, "{}")["bip"], "172.17.0.1/16");
}

/// A container that comes makes the bridge; the network must not look changed to the next one.
#[test]
fn the_list_is_the_same_once_the_bridge_is_there() {
    let files = [
        "{}",
        r#"{"ipv6": true}"#,
        r#"{"fixed-cidr": "192.168.1.0/24"}"#,
        r#"{"fixed-cidr": "192.168.1.0/24", "fixed-cidr-v6": "fd17::/64"}"#,
        r#"{"bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.128/25", "ipv6": true}"#,
        r#"{"fixed-cidr": "192.168.1.0/24", "default-gateway": "192.168.1.1"}"#,
    ];
    for daemon in files {
        let before = made(&facts(), daemon, &[]).unwrap().unwrap();
        let keys = docker_keys(&before);
        let addresses = docker::Shorthand::new(&keys).unwrap().bridge_addresses();
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let mut facts = facts();
        facts.links.push(fact("bridge", Some("bridge"), Some("netctl network bridge"), &addresses));
        for address in &addresses {
            let by = By::Address { link: Some(link("bridge")) };
            facts.taken.push(Taken { network: network(address), by });
        }
        let after = made(&facts, daemon, &[]).unwrap().unwrap();
        let text = |list: &List| String::from_utf8(list.bytes().to_vec()).unwrap();
        assert_eq!(text(&after), text(&before), "{daemon}");
    }
}

fn docker_keys(list: &List) -> docker::Wish {
    let object = list.plugins()[0].object();
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    docker::Wish {
        bip: text("bip"),
        bip6: text("bip6"),
        fixed_cidr: text("fixed-cidr"),
        fixed_cidr_v6: text("fixed-cidr-v6"),
        gateway: text("default-gateway").map(|gateway| gateway.parse().unwrap()),
        gateway_v6: None,
    }
}

#[test]
fn a_bridge_that_somebody_made_has_its_own_addresses() {
    let both = plugin(r#"{"bridge": "br0", "ipv6": true}"#);
    assert_eq!((&both["bip"], &both["bip6"]), (&json!("192.168.9.1/24"), &json!("fd09::9/64")));
    let part =
        plugin(r#"{"bridge": "br0", "fixed-cidr": "192.168.9.128/25", "default-gateway": "192.168.9.254"}"#);
    assert_eq!((&part["bip"], &part["fixed-cidr"]), (&json!("192.168.9.1/24"), &json!("192.168.9.128/25")));
    assert_eq!(part["default-gateway"], "192.168.9.254");
    // A network that it has no address in.
    let other = plugin(r#"{"bridge": "br0", "fixed-cidr": "192.168.8.0/24"}"#);
    assert_eq!((other.get("bip"), &other["fixed-cidr"]), (None, &json!("192.168.8.0/24")));
    // Without an address it gets one.
    let mut facts = facts();
    facts.links[1].addresses.clear();
    assert_eq!(plugin_on(&facts, r#"{"bridge": "br0"}"#)["bip"], "172.17.0.1/16");
}

#[test]
fn keys_that_do_not_fit_the_bridge_that_somebody_made_are_refused() {
    let daemon = r#"{"bridge": "br0", "default-gateway": "192.168.8.1"}"#;
    let error = made(&facts(), daemon, &[]).unwrap_err();
    assert_eq!(error.to_string(), format!("use {FILE} with the addresses of bridge br0"));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "default-gateway: 192.168.8.1: expected a host's address in 192.168.9.0/24");
    let expected = "`ip address show br0` tells its addresses; change default-gateway or leave it out";
    assert_eq!(error.hint().as_deref(), Some(expected));
}

#[test]
fn what_is_no_bridge_is_refused() {
    let hint =
        |link| format!("make it first: `ip link add {link} type bridge`; or leave the key bridge away");
    for (name, found) in [
        ("br9", "there is no such link"),
        ("wg0", "it is no bridge but wireguard"),
        ("eth0", "it is no bridge but hardware"),
    ] {
        let (error, way_out) = refused(&format!(r#"{{"bridge": "{name}"}}"#));
        assert_eq!((error, way_out), (format!("bridge {name} of {FILE}: {found}"), hint(name)));
    }
}

#[test]
fn a_file_may_want_no_network_bridge() {
    assert!(made(&facts(), r#"{"bridge": "none"}"#, &[]).unwrap().is_none());
}

#[test]
fn the_mtu_is_that_of_the_way_out_unless_the_file_names_one() {
    let mut facts = facts();
    facts.uplink = Some(Uplink { name: link("wg0"), mtu: 1420 });
    assert_eq!(plugin_on(&facts, "{}")["mtu"], 1420);
    assert_eq!(plugin_on(&facts, r#"{"mtu": 1300}"#)["mtu"], 1300);
    facts.uplink = Some(Uplink { name: link("wg0"), mtu: 1200 });
    assert_eq!(plugin_on(&facts, "{}")["mtu"], 1200);
    assert_eq!(plugin_on(&facts, r#"{"ipv6": true}"#).get("mtu"), None, "IPv6 needs more");
    assert_eq!(plugin("{}").get("mtu"), None, "the kernel's own choice is the same");
}

#[test]
fn what_is_made_is_shown_as_it_is() {
    let daemon =
        r#"{"bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.128/25", "fixed-cidr-v6": "fd17::/64"}"#;
    let view = View::of(&made(&facts(), daemon, &[]).unwrap().unwrap());
    let subnets: Vec<_> =
        view.subnets.iter().map(|subnet| (subnet.subnet.to_string(), subnet.range_text())).collect();
    let expected =
        [("192.168.1.0/24".to_owned(), Some("192.168.1.128/25".to_owned())), ("fd17::/64".to_owned(), None)];
    assert_eq!(subnets, expected);
    assert_eq!((view.driver.as_str(), view.link, view.is_internal), ("bridge", Some(link("bridge")), false));
}

#[test]
fn host_and_none_are_what_their_plugins_are() {
    for (list, name) in [(host(), HOST), (none(), NONE)] {
        let list = list.unwrap();
        assert_eq!((list.name().as_str(), list.plugins().len(), list.plugins()[0].kind()), (name, 1, name));
    }
}
