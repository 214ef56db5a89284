//! The files that come of the main wishes, as a person reads them.

use super::*;

type Case = (&'static str, fn(&mut Wish), &'static str);

const GOLDEN: [Case; 9] = [
    ("plain", |wish| wish.subnets = networks("172.27.0.0/16"), include_str!("golden/plain.conflist")),
    (
        "everything that a bridge can have",
        |wish| {
            wish.subnets = networks("172.27.0.0/16 fd27::/64");
            wish.gateways = addresses("172.27.0.254 fd27::fe");
            wish.ranges = networks("172.27.5.0/24 fd27::8000/113");
            wish.mtu = mtu(1400);
            wish.isolate = true;
            wish.forward = false;
            wish.labels = [("tier", "web"), ("empty", ""), ("quote", "a \"b\", c: {d}")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into();
            wish.dns = addresses("10.20.1.2 fd00::53");
            wish.dns_search = vec!["example.com".to_owned(), "corp".to_owned()];
            wish.dns_options = vec!["ndots:2".to_owned()];
            wish.options(
                "com.docker.network.bridge.name=br7 bridge.enable_icc=false bridge.host_binding_ipv4=127.0.0.1 \
                 com.docker.network.container_iface_prefix=net bridge.enable_ip_masquerade=false",
            );
        },
        include_str!("golden/everything.conflist"),
    ),
    (
        "ipv6 only, without a default route",
        |wish| {
            wish.subnets = networks("fd27::/64");
            wish.ipv4 = false;
            wish.options("no_default_route=true");
        },
        include_str!("golden/ipv6.conflist"),
    ),
    (
        "internal",
        |wish| {
            wish.subnets = networks("172.27.0.0/16");
            wish.internal = true;
        },
        include_str!("golden/internal.conflist"),
    ),
    (
        "internal, and not even the host is on it",
        |wish| {
            wish.subnets = networks("172.27.0.0/16");
            wish.internal = true;
            wish.options("bridge.gateway_mode_ipv4=isolated");
        },
        include_str!("golden/internal-isolated.conflist"),
    ),
    (
        "routed",
        |wish| {
            wish.subnets = networks("172.27.0.0/16");
            wish.options("bridge.gateway_mode_ipv4=routed");
        },
        include_str!("golden/routed.conflist"),
    ),
    (
        "nat, and every port is reached",
        |wish| {
            wish.subnets = networks("172.27.0.0/16");
            wish.options("bridge.gateway_mode_ipv4=nat-unprotected");
        },
        include_str!("golden/nat-unprotected.conflist"),
    ),
    (
        "macvlan",
        |wish| {
            wish.macvlan("192.168.7.0/24");
            wish.ranges = networks("192.168.7.192/27");
            wish.options("parent=eth0 macvlan_mode=bridge");
        },
        include_str!("golden/macvlan.conflist"),
    ),
    (
        "ipvlan",
        |wish| {
            wish.driver = Driver::Ipvlan;
            wish.subnets = networks("192.168.7.0/24 2001:db8:7::/64");
            wish.gateways = addresses("2001:db8:7::1");
            wish.mtu = mtu(1400);
            wish.options("mode=l2");
        },
        include_str!("golden/ipvlan.conflist"),
    ),
];

#[test]
fn the_file_is_what_a_person_would_write() {
    for (what, ask, golden) in GOLDEN {
        assert_eq!(designed(ask).conflist(|_| true).unwrap(), golden, "{what}");
    }
}

#[test]
fn versions_are_those_that_all_plugins_speak() {
    let versions = |speak: fn(&str) -> bool| {
        let text = designed(|_| {}).conflist(speak).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        (value["cniVersion"].clone(), value.get("cniVersions").cloned())
    };
    assert_eq!(versions(|_| false), ("1.0.0".into(), None));
    // What stands in `cniVersion` need not be said twice.
    assert_eq!(versions(|version| version == "1.0.0"), ("1.0.0".into(), None));
    assert_eq!(versions(|version| version == "1.1.0"), ("1.0.0".into(), Some(serde_json::json!(["1.1.0"]))));
    assert_eq!(versions(|_| true), ("1.0.0".into(), Some(serde_json::json!(["1.0.0", "1.1.0"]))));
}

#[test]
fn the_file_that_the_page_shows_is_the_one_that_is_written() {
    let page = include_str!("../../../../docs/networks.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert_eq!(example, include_str!("golden/plain.conflist"));
}
