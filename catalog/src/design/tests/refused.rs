//! What cannot be made, in the words that a person reads, and the way out.

use std::collections::BTreeSet;

use cni::Fault;

use super::*;

type Case = (fn(&mut Wish), &'static str, &'static str);

const FREE: &str = "without --subnet a free one is chosen";

/// Every refusal that the scene has a case for.
const REFUSED: [Case; 42] = [
    (
        |wish| wish.name = name("db"),
        "network with name db already exists",
        "`netctl inspect db` shows it, `netctl rm db` removes it",
    ),
    (
        |wish| wish.name = name("bridge"),
        "network bridge is predefined: it exists on every host and cannot be made",
        "daemon.json says what it is like; choose another name for another network",
    ),
    (
        |wish| wish.name = name("none"),
        "network none is predefined: it exists on every host and cannot be made",
        "choose another name",
    ),
    (
        |wish| wish.name = name("default"),
        "network name default is reserved: it means network bridge",
        "choose another name",
    ),
    (
        |wish| wish.subnets = networks("172.27.0.1/16"),
        "invalid subnet 172.27.0.1/16: it has host bits set: it should be 172.27.0.0/16",
        "--subnet 172.27.0.0/16",
    ),
    (
        |wish| wish.subnets = networks("172.27.0.0/31"),
        "invalid subnet 172.27.0.0/31: expected a prefix of at most 30 bits, which leaves room for containers",
        "",
    ),
    (
        |wish| wish.subnets = networks("fd27::/127"),
        "invalid subnet fd27::/127: expected a prefix of at most 126 bits, which leaves room for containers",
        "",
    ),
    (
        |wish| wish.subnets = networks("127.1.0.0/16"),
        "invalid subnet 127.1.0.0/16: it overlaps 127.0.0.0/8 (loopback: every host has these addresses to talk to \
         itself)",
        FREE,
    ),
    (
        |wish| wish.subnets = networks("172.26.0.0/24"),
        "subnet 172.26.0.0/24 overlaps network db (172.26.0.0/16)",
        "`netctl inspect db` shows what it uses; without --subnet a free one is chosen",
    ),
    (
        |wish| wish.subnets = networks("10.0.0.0/8"),
        "subnet 10.0.0.0/8 overlaps the host's route 10.20.0.0/16 via 192.168.7.9 dev eth0",
        "packets for the one would go to the other; without --subnet a free one is chosen",
    ),
    (
        |wish| wish.subnets = networks("10.40.0.0/24"),
        "subnet 10.40.0.0/24 overlaps the host's address 10.40.0.1/32",
        "packets for the one would go to the other; without --subnet a free one is chosen",
    ),
    (
        |wish| wish.subnets = networks("10.50.0.0/24"),
        "subnet 10.50.0.0/24 overlaps the host's name server 10.50.0.53",
        "names would not be resolved any more; without --subnet a free one is chosen",
    ),
    (
        |wish| wish.subnets = networks("172.27.0.0/16 172.27.9.0/24"),
        "subnet 172.27.9.0/24 overlaps 172.27.0.0/16, which is named before it",
        "",
    ),
    (
        |wish| {
            wish.ipv4 = false;
            wish.subnets = networks("172.27.0.0/16");
        },
        "subnet 172.27.0.0/16 and --ipv4=false exclude each other",
        "leave one of them away",
    ),
    (
        |wish| wish.ipv4 = false,
        "the network would have no addresses: expected IPv4, IPv6 or both",
        "leave --ipv4=false away, or give --ipv6",
    ),
    (
        |wish| wish.macvlan(""),
        "driver macvlan needs --subnet: its containers live in the network of the host's link",
        "the link's own network is 192.168.7.0/24, 2001:db8:7::/64; give --ip-range beside it, so that nobody else \
         uses the same addresses",
    ),
    (
        |wish| {
            wish.macvlan("192.168.7.0/24");
            wish.ipv6 = true;
        },
        "driver macvlan needs --subnet of IPv6, too: its containers live in the network of the host's link",
        "the link's own network is 192.168.7.0/24, 2001:db8:7::/64; give --ip-range beside it, so that nobody else \
         uses the same addresses",
    ),
    (
        |wish| {
            wish.macvlan("");
            wish.options("parent=wg0");
        },
        "driver macvlan needs --subnet: its containers live in the network of the host's link",
        "",
    ),
    (
        |wish| wish.gateways = addresses("172.27.0.1"),
        "gateway 172.27.0.1 is in none of the network's subnets: no --subnet is given",
        "give --subnet beside --gateway",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/16 fd27::/64");
            wish.gateways = addresses("172.27.0.1 172.28.0.1");
        },
        "gateway 172.28.0.1 is in none of the network's subnets (172.27.0.0/16, fd27::/64)",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.gateways = addresses("172.27.0.0");
        },
        "gateway 172.27.0.0 is no host's address in 172.27.0.0/24: expected one from 172.27.0.1 to 172.27.0.254",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.gateways = addresses("172.27.0.255");
        },
        "gateway 172.27.0.255 is no host's address in 172.27.0.0/24: expected one from 172.27.0.1 to 172.27.0.254",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.gateways = addresses("172.27.0.1 172.27.0.2");
        },
        "subnet 172.27.0.0/24 has two gateways: 172.27.0.1 and 172.27.0.2",
        "",
    ),
    (
        |wish| wish.ranges = networks("172.27.0.0/24"),
        "ip-range 172.27.0.0/24 is in none of the network's subnets: no --subnet is given",
        "give --subnet beside --ip-range",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.ranges = networks("172.27.0.0/23");
        },
        "ip-range 172.27.0.0/23 is in none of the network's subnets (172.27.0.0/24)",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.ranges = networks("172.27.0.0/25 172.27.0.128/25");
        },
        "subnet 172.27.0.0/24 has two ranges: 172.27.0.0/25 and 172.27.0.128/25",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.ranges = networks("172.27.0.0/31");
        },
        "ip-range 172.27.0.0/31 leaves no address for a container: 172.27.0.1 is the gateway's",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("172.27.0.0/24");
            wish.ranges = networks("172.27.0.255/32");
        },
        "ip-range 172.27.0.255/32 has no host's address of 172.27.0.0/24: expected some from 172.27.0.1 to 172.27.0.254",
        "",
    ),
    (
        |wish| wish.options("bridge.name=db"),
        "bridge db is that of network db",
        "name another with -o com.docker.network.bridge.name=NAME, or leave the option away",
    ),
    (
        |wish| wish.name = name("br9"),
        "link br9 exists (bridge) with 172.30.0.1/16",
        "to use this bridge, say -o com.docker.network.bridge.name=br9; or choose another name for the network",
    ),
    (
        |wish| wish.name = name("wg0"),
        "link wg0 exists (wireguard)",
        "choose another name for the network, or for its bridge: -o com.docker.network.bridge.name=NAME",
    ),
    (
        |wish| {
            wish.macvlan("10.60.0.0/24");
            wish.options("parent=eth9");
        },
        "driver macvlan: there is no link eth9",
        "`ip link` shows which there are",
    ),
    (
        |wish| {
            wish.ipv6 = true;
            wish.mtu = mtu(1279);
        },
        "mtu 1279 is too small for IPv6: expected at least 1280 bytes",
        "",
    ),
    (
        |wish| {
            wish.subnets = networks("fd27::/64");
            wish.options("mtu=1000");
        },
        "mtu 1000 is too small for IPv6: expected at least 1280 bytes",
        "",
    ),
    (
        |wish| {
            wish.macvlan("192.168.7.0/24");
            wish.mtu = mtu(1501);
        },
        "mtu 1501 is larger than that of eth0: expected at most 1500 bytes",
        "",
    ),
    (
        |wish| {
            wish.mtu = mtu(1400);
            wish.options("mtu=1500");
        },
        "--mtu 1400 and the option com.docker.network.driver.mtu=1500 differ: expected one of them",
        "",
    ),
    (
        |wish| {
            wish.internal = true;
            wish.options("bridge.enable_ip_masquerade=true");
        },
        "--internal and the option com.docker.network.bridge.enable_ip_masquerade=true exclude each other: nothing \
         leaves an internal network",
        "",
    ),
    (
        |wish| {
            wish.isolate = true;
            wish.options("isolate=false");
        },
        "--isolate and the option isolate=false exclude each other",
        "",
    ),
    (
        |wish| {
            wish.macvlan("192.168.7.0/24");
            wish.isolate = true;
        },
        "driver macvlan cannot --isolate: its containers live in the network of the host's link",
        "",
    ),
    (
        |wish| wish.options("bridge.gateway_mode_ipv4=isolated"),
        "gateway mode isolated is for internal networks: expected --internal beside it",
        "",
    ),
    (|wish| wish.name = name(&"x".repeat(129)), "expected at most 128 characters", ""),
    (
        |wish| {
            wish.driver = Driver::Ipvlan;
            wish.options("parent=eth9");
        },
        "driver ipvlan: there is no link eth9",
        "`ip link` shows which there are",
    ),
];

/// Two that need another host.
fn on_bare_hosts() -> [(DesignError, &'static str, &'static str); 2] {
    let mut scene = Scene::new();
    scene.facts.uplink = None;
    let no_parent = scene.design(|wish| wish.macvlan("192.168.7.0/24")).unwrap_err();
    scene.pools = vec![Pool::new(one("172.26.0.0/16"), 24).unwrap()];
    let empty = scene.design(|_| {}).unwrap_err();
    [
        (
            no_parent,
            "driver macvlan needs a link of the host to work on, and there is no default route to take it from",
            "name it: -o parent=LINK",
        ),
        (
            empty,
            "no IPv4 subnet is free in the address pools: each overlaps a network or a route of this host",
            "name one with --subnet, add to default-address-pools in daemon.json, or remove unused networks: \
             `netctl prune`",
        ),
    ]
}

#[test]
fn what_cannot_be_made_is_refused_with_what_is_in_the_way_and_the_way_out() {
    let refused = REFUSED.map(|(ask, text, hint)| match Scene::new().design(ask) {
        Err(error) => (error, text, hint),
        Ok(design) => panic!("{text}: {design:?}"),
    });
    let mut kinds = BTreeSet::new();
    for (error, text, hint) in refused.into_iter().chain(on_bare_hosts()) {
        let told = error.to_string();
        assert!(
            told == text || (text.starts_with("expected") && told.ends_with(text)),
            "{told}\nexpected {text}"
        );
        assert_eq!(error.hint().unwrap_or_default(), hint, "{told}");
        assert_eq!(error.code(), cni::Code::INVALID_CONFIG);
        kinds.insert(format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned());
    }
    let all = include_str!("../error.rs").matches("#[error(").count();
    assert_eq!(kinds.len(), all, "each kind of error is there: {kinds:?}");
}

#[test]
fn of_several_things_in_the_way_the_first_that_is_named_is_told() {
    let error =
        Scene::new().design(|wish| wish.subnets = networks("10.60.0.0/16 172.26.0.0/16 10.20.0.0/16"));
    assert_eq!(error.unwrap_err().to_string(), "subnet 172.26.0.0/16 overlaps network db (172.26.0.0/16)");
}
