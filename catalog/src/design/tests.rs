//! From wishes to designs: what is decided, what is refused and in which words, and the files that come of it.

mod decided;
mod golden;
mod refused;

use super::*;
use crate::facts::{LinkFact, Uplink};
use crate::pool;
use crate::wish::Options;

/// 2026-01-31T12:00:00Z
const CREATED: Timestamp = Timestamp::constant(1_769_860_800, 0);

/// A host in 192.168.7.0/24 with a route into a company's network, a VPN's link, and two networks.
struct Scene {
    facts: HostFacts,
    known: Vec<Known>,
    pools: Vec<Pool>,
}

impl Scene {
    fn new() -> Self {
        let eth0 = Some(link("eth0"));
        let route = |link: &Option<InterfaceName>, router: Option<&str>| By::Route {
            link: link.clone(),
            router: router.map(|router| router.parse().unwrap()),
        };
        let taken = |network: &str, by| Taken { network: one(network), by };
        let facts = HostFacts {
            taken: vec![
                taken("192.168.7.5/24", By::Address { link: eth0.clone() }),
                taken("192.168.7.0/24", route(&eth0, None)),
                taken("10.20.0.0/16", route(&eth0, Some("192.168.7.9"))),
                taken("172.30.0.1/16", By::Address { link: Some(link("br9")) }),
                taken("10.40.0.1/32", By::Address { link: None }),
                taken("10.50.0.53/32", By::Nameserver),
                taken("192.168.7.1/32", By::Nameserver),
            ],
            uplink: Some(Uplink { name: link("eth0"), mtu: 1500 }),
            routers: vec!["192.168.7.1".parse().unwrap(), "fe80::1".parse().unwrap()],
            links: vec![
                fact("eth0", None, 1500, &["192.168.7.5/24", "2001:db8:7::5/64", "fe80::5/64"]),
                fact("br9", Some("bridge"), 1500, &["172.30.0.1/16"]),
                fact("wg0", Some("wireguard"), 1420, &[]),
            ],
        };
        let known = vec![
            Known { name: name("db"), bridge: Some(link("db")), subnets: vec![one("172.26.0.0/16")] },
            Known { name: name("lan"), bridge: None, subnets: Vec::new() },
        ];
        let mut pools = pool::standard();
        pools.extend(pool::unique_local("0123456789abcdef"));
        Self { facts, known, pools }
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings { facts: &self.facts, known: &self.known, pools: &self.pools }
    }

    /// What becomes of network `web` with what `ask` adds to its wish.
    fn design(&self, ask: impl FnOnce(&mut Wish)) -> Result<Design, DesignError> {
        let mut wish = Wish::new(name("web"));
        ask(&mut wish);
        Design::new(wish, self.around(), CREATED)
    }
}

#[track_caller]
fn designed(ask: impl FnOnce(&mut Wish)) -> Design {
    Scene::new().design(ask).unwrap_or_else(|error| panic!("{error}"))
}

fn name(text: &str) -> NetworkName {
    NetworkName::new(text).unwrap()
}

fn link(text: &str) -> InterfaceName {
    InterfaceName::new(text).unwrap()
}

fn one(text: &str) -> IpNetwork {
    subnet::parse(text).unwrap()
}

fn networks(text: &str) -> Vec<IpNetwork> {
    text.split_whitespace().map(one).collect()
}

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split_whitespace().map(|address| address.parse().unwrap()).collect()
}

fn mtu(bytes: u32) -> Option<Mtu> {
    Some(Mtu::new(bytes).unwrap())
}

fn fact(name: &str, kind: Option<&str>, mtu: u32, addresses: &[&str]) -> LinkFact {
    LinkFact {
        name: link(name),
        kind: kind.map(str::to_owned),
        alias: None,
        mtu,
        addresses: addresses.iter().map(|address| one(address)).collect(),
    }
}

impl Wish {
    /// Adds `-o` for each `KEY=VALUE`.
    fn options(&mut self, text: &str) {
        let pairs: Vec<(String, String)> = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        self.options = Options::read(self.driver, &pairs).unwrap_or_else(|error| panic!("{error}"));
    }

    fn macvlan(&mut self, subnets: &str) {
        self.driver = Driver::Macvlan;
        self.subnets = networks(subnets);
    }
}
