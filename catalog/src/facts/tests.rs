//! Which facts follow from what the kernel says.

use netlink::{Address, AddressState, Link, NextHop, Operation, Route};

use super::*;

fn link(index: u32, name: &str, mtu: u32) -> Link {
    Link {
        index,
        name: InterfaceName::new(name).unwrap(),
        mac: None,
        mtu,
        is_up: true,
        has_carrier: true,
        is_loopback: false,
        is_promiscuous: false,
        operation: Operation::Up,
        kind: None,
        controller: None,
        peer: None,
        peer_nsid: None,
        alias: None,
        group: 0,
        bridge: None,
        port: None,
    }
}

fn address(index: u32, network: &str) -> Address {
    let network = network.parse().unwrap();
    Address { index, network, scope: 0, state: AddressState::Ready, is_secondary: false }
}

/// `10.0.0.0/8 via 10.1.0.1 dev 2`: a route of the main table.
fn route(text: &str) -> Route {
    let words: Vec<&str> = text.split_whitespace().collect();
    let behind = |word: &str| words.iter().position(|found| *found == word).map(|at| words[at + 1]);
    let gateway = behind("via").map(|gateway| gateway.parse().unwrap());
    let index = behind("dev").map(|index| index.parse().unwrap());
    Route {
        destination: words[0].parse().unwrap(),
        hops: vec![NextHop { gateway, index }],
        table: behind("table").map_or(MAIN, |table| table.parse().unwrap()),
        priority: behind("metric").map(|metric| metric.parse().unwrap()),
        scope: 0,
        protocol: 2,
        mtu: behind("mtu").map(|mtu| mtu.parse().unwrap()),
        advmss: None,
    }
}

/// A host with one address, a router, and whatever routes it has besides.
fn host(routes: &[&str]) -> Kernel {
    Kernel {
        links: vec![link(1, "lo", 65_536), link(2, "eth0", 1500), link(3, "wg0", 1420)],
        addresses: vec![address(1, "127.0.0.1/8"), address(2, "10.1.0.7/16"), address(2, "fe80::7/64")],
        routes: routes.iter().map(|text| route(text)).collect(),
        ways_out: Vec::new(),
    }
}

fn facts(routes: &[&str]) -> HostFacts {
    HostFacts::of(&host(routes), "")
}

fn told(facts: &HostFacts) -> Vec<String> {
    facts.taken.iter().map(ToString::to_string).collect()
}

#[test]
fn addresses_and_routes_are_taken_and_a_person_finds_them() {
    let facts =
        facts(&["0.0.0.0/0 via 10.1.0.1 dev 2", "10.1.0.0/16 dev 2", "10.9.0.0/16 via 10.1.0.9 dev 2"]);
    let expected = [
        "the host's address 10.1.0.7/16 of eth0",
        "the host's route 10.1.0.0/16 dev eth0",
        "the host's route 10.9.0.0/16 via 10.1.0.9 dev eth0",
    ];
    assert_eq!(told(&facts), expected);
}

#[test]
fn what_was_on_a_link_that_has_gone_meanwhile_is_not_taken() {
    let mut kernel = host(&["10.1.0.0/16 dev 2", "172.17.0.0/16 dev 9", "10.9.0.0/16 via 10.1.0.9"]);
    kernel.addresses.push(address(9, "172.17.0.1/16"));
    let facts = HostFacts::of(&kernel.without_gone_links(), "");
    let expected = [
        "the host's address 10.1.0.7/16 of eth0",
        "the host's route 10.1.0.0/16 dev eth0",
        "the host's route 10.9.0.0/16 via 10.1.0.9",
    ];
    assert_eq!(told(&facts), expected);
}

#[test]
fn ways_out_take_nothing_in_whatever_halves_they_are_written() {
    let ways =
        ["0.0.0.0/0 dev 2", "0.0.0.0/1 dev 3", "128.0.0.0/1 dev 3", "64.0.0.0/7 dev 3", "2000::/3 dev 2"];
    assert_eq!(told(&facts(&ways)).len(), 1, "the host's own address");
    let networks = ["10.0.0.0/8 dev 3", "2400::/12 dev 2"];
    assert_eq!(told(&facts(&networks)).len(), 3);
}

#[test]
fn what_reaches_no_further_than_the_host_or_its_links_takes_nothing() {
    let near =
        ["127.0.0.0/8 dev 1", "169.254.0.0/16 dev 2", "fe80::/64 dev 2", "::1/128 dev 1", "ff00::/8 dev 2"];
    assert_eq!(told(&facts(&near)), ["the host's address 10.1.0.7/16 of eth0"]);
}

#[test]
fn routes_of_every_table_take_their_destination() {
    // wg-quick writes into a table of its own.
    assert_eq!(
        told(&facts(&["10.66.0.0/16 dev 3 table 51820"]))[1..],
        ["the host's route 10.66.0.0/16 dev wg0"]
    );
}

#[test]
fn a_route_that_leads_nowhere_we_know_of_is_still_one() {
    let facts = facts(&["10.9.0.0/16 dev 99"]);
    assert_eq!(told(&facts)[1..], ["the host's route 10.9.0.0/16"]);
    let mut kernel = host(&["10.9.0.0/16 dev 2"]);
    kernel.routes[0].hops.clear();
    kernel.addresses.push(address(99, "10.8.0.1/24"));
    let told = told(&HostFacts::of(&kernel, ""));
    assert_eq!(told[1..], ["the host's address 10.8.0.1/24", "the host's route 10.9.0.0/16"]);
}

#[test]
fn name_servers_that_a_network_could_hide_are_taken() {
    let resolv_conf = "# nameserver 10.2.0.1\n\
        search example.com\n\
        nameserver 10.2.0.53 # ours\n\
        \tnameserver\tfd00::53\n\
        nameserver 127.0.0.53\nnameserver ::1\nnameserver 0.0.0.0\nnameserver fe80::1%eth0\nnameserver fe80::1\n\
        nameserver\nnameserver dns.example.com\nnameservers 10.2.0.54\n";
    let facts = HostFacts::of(&Kernel::default(), resolv_conf);
    assert_eq!(told(&facts), ["the host's name server 10.2.0.53", "the host's name server fd00::53"]);
}

/// The uplink of a host whose packets go out along these ways.
fn uplink(ways: &[&str]) -> Option<(String, u32)> {
    let kernel = Kernel { ways_out: ways.iter().map(|way| route(way)).collect(), ..host(&[]) };
    HostFacts::of(&kernel, "").uplink.map(|uplink| (uplink.name.to_string(), uplink.mtu))
}

fn eth0(mtu: u32) -> Option<(String, u32)> {
    Some(("eth0".to_owned(), mtu))
}

#[test]
fn the_uplink_is_the_link_of_the_way_out_that_of_ipv4_first() {
    assert_eq!(uplink(&[]), None);
    assert_eq!(uplink(&["198.41.0.4/32 via 10.1.0.1 dev 2", "2001:503:ba3e::2:30/128 dev 3"]), eth0(1500));
    assert_eq!(uplink(&["2001:503:ba3e::2:30/128 dev 2"]), eth0(1500));
    assert_eq!(
        uplink(&["198.41.0.4/32 dev 99", "2001:503:ba3e::2:30/128 dev 2"]),
        eth0(1500),
        "a link that is there"
    );
}

#[test]
fn what_the_way_carries_is_what_route_and_link_both_do() {
    assert_eq!(uplink(&["198.41.0.4/32 dev 2 mtu 1400"]), eth0(1400));
    assert_eq!(uplink(&["198.41.0.4/32 dev 2 mtu 9000"]), eth0(1500));
}

#[test]
fn the_routers_are_those_of_the_default_routes_the_best_first() {
    let routes =
        ["::/0 via fe80::1 dev 2", "0.0.0.0/0 via 10.1.0.2 dev 2 metric 9", "0.0.0.0/0 via 10.1.0.1 dev 2"];
    let routers: Vec<_> = facts(&routes).routers.iter().map(ToString::to_string).collect();
    assert_eq!(routers, ["10.1.0.1", "10.1.0.2", "fe80::1"]);
    assert!(facts(&["0.0.0.0/0 dev 2", "10.9.0.0/16 via 10.1.0.9 dev 2"]).routers.is_empty());
}

#[test]
fn a_link_is_told_with_its_addresses() {
    let facts = facts(&[]);
    let found = facts.link(&InterfaceName::new("eth0").unwrap()).unwrap();
    let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
    assert_eq!((found.mtu, addresses), (1500, vec!["10.1.0.7/16".to_owned(), "fe80::7/64".to_owned()]));
    assert_eq!(facts.link(&InterfaceName::new("eth9").unwrap()), None);
}

#[test]
fn a_network_has_the_uplink_s_mtu_where_that_is_another_than_the_kernel_s() {
    let of = |mtu: Option<u32>, has_ipv6| {
        let uplink = mtu.map(|mtu| Uplink { name: InterfaceName::new("eth0").unwrap(), mtu });
        let facts = HostFacts { uplink, ..HostFacts::default() };
        facts.mtu_of_uplink(has_ipv6).map(Mtu::bytes)
    };
    assert_eq!(of(None, false), None);
    assert_eq!(of(Some(1500), false), None);
    assert_eq!(of(Some(1420), true), Some(1420));
    assert_eq!(of(Some(9000), true), Some(9000));
    assert_eq!(of(Some(1200), false), Some(1200));
    assert_eq!(of(Some(1200), true), None, "IPv6 needs 1280");
    assert_eq!(of(Some(65_536), false), None, "only loopback carries as much");
}
