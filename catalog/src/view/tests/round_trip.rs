//! What `netctl create` writes is read as it was decided.

use std::net::{Ipv4Addr, Ipv6Addr};

use docker::Pool;
use ipnetwork::IpNetwork;
use jiff::Timestamp;
use vocab::{Mtu, NetworkName};

use super::*;
use crate::chance::Chance;
use crate::design::{Design, Surroundings};
use crate::facts::{HostFacts, LinkFact, Uplink};
use crate::pool;
use crate::wish::{Driver, Options, Wish};

/// Texts that JSON has to quote, and one that it need not.
const TEXTS: [&str; 6] = ["web", "", "a \"b\"", "{[,:]}", "\\\n\u{1}", "é ü 🦀"];

fn facts() -> HostFacts {
    let eth0 = InterfaceName::new("eth0").unwrap();
    let fact = LinkFact { name: eth0.clone(), kind: None, alias: None, mtu: 9000, addresses: Vec::new() };
    HostFacts {
        uplink: Some(Uplink { name: eth0, mtu: 1420 }),
        routers: vec!["10.0.0.1".parse().unwrap()],
        links: vec![fact],
        ..HostFacts::default()
    }
}

fn subnet_of(chance: &mut Chance) -> IpNetwork {
    let bits = chance.bits();
    let (address, length): (IpAddr, _) = match chance.once_in(3) {
        true => {
            let bits = u128::from(bits) << 60 | u128::from(bits);
            (Ipv6Addr::from_bits(0xfd << 120 | bits >> 8).into(), 8 + chance.below(119))
        }
        false => (Ipv4Addr::from_bits(10 << 24 | (bits as u32) >> 8).into(), 8 + chance.below(23)),
    };
    ::subnet::of(IpNetwork::new(address, length as u8).unwrap())
}

/// An address of a subnet, mostly one that a host may have.
fn inside(chance: &mut Chance, subnet: IpNetwork) -> IpAddr {
    let family = Family::of_network(subnet);
    let host =
        u128::from(chance.bits()) & (::subnet::bits(subnet.broadcast()) - ::subnet::bits(subnet.network()));
    family.address(::subnet::bits(subnet.network()) + host)
}

fn options(chance: &mut Chance, driver: Driver) -> Options {
    let all: &[(&str, &[&str])] = match driver {
        Driver::Bridge => &[
            ("bridge.name", &["br7", "web0"]),
            ("bridge.enable_ip_masquerade", &["true", "false"]),
            ("bridge.enable_icc", &["true", "false"]),
            ("com.docker.network.bridge.host_binding_ipv4", &["127.0.0.1", "0.0.0.0", "::1"]),
            ("bridge.gateway_mode_ipv4", &["nat", "nat-unprotected", "routed", "isolated"]),
            ("isolate", &["true", "false"]),
            ("no_default_route", &["true", "false"]),
            ("com.docker.network.container_iface_prefix", &["net"]),
        ],
        Driver::Macvlan => &[("parent", &["eth0"]), ("macvlan_mode", &["bridge", "vepa"])],
        Driver::Ipvlan => &[("parent", &["eth0"]), ("ipvlan_mode", &["l2", "l3"])],
    };
    let mut pairs = Vec::new();
    for (key, values) in all {
        if chance.once_in(4) {
            pairs.push(((*key).to_owned(), (*chance.pick(values)).to_owned()));
        }
    }
    Options::read(driver, &pairs).unwrap()
}

fn wish(chance: &mut Chance) -> Wish {
    let driver = *chance.pick(&[Driver::Bridge, Driver::Bridge, Driver::Macvlan, Driver::Ipvlan]);
    let subnets: Vec<IpNetwork> = (0..chance.below(4)).map(|_| subnet_of(chance)).collect();
    let mut some = |each: usize| -> Vec<IpNetwork> {
        subnets.iter().copied().filter(|_| chance.once_in(each)).collect()
    };
    let (with_gateway, with_range) = (some(3), some(3));
    let gateways = with_gateway.into_iter().map(|subnet| inside(chance, subnet)).collect();
    let range = |subnet: IpNetwork| {
        let room = Family::of_network(subnet).width() - subnet.prefix();
        let length = subnet.prefix() + chance.below(usize::from(room) + 1) as u8;
        ::subnet::of(IpNetwork::new(inside(chance, subnet), length).unwrap())
    };
    let ranges = with_range.into_iter().map(range).collect();
    let mut texts = |most: usize| -> Vec<String> {
        (0..chance.below(most + 1)).map(|_| (*chance.pick(&TEXTS)).to_owned()).collect()
    };
    let (labels, dns_search, dns_options) = (texts(3), texts(2), texts(2));
    let name = *chance.pick(&["web", "a-name-that-no-link-can-have"]);
    Wish {
        driver,
        subnets,
        gateways,
        ranges,
        ipv4: !chance.once_in(6),
        ipv6: chance.once_in(4),
        internal: chance.once_in(4),
        isolate: chance.once_in(5),
        forward: !chance.once_in(4),
        mtu: chance.once_in(3).then(|| Mtu::new(1280 + chance.below(300) as u32).unwrap()),
        options: options(chance, driver),
        labels: labels.into_iter().map(|text| (text.clone(), text)).collect(),
        dns: if chance.once_in(3) {
            vec!["10.0.0.53".parse().unwrap(), "fd00::53".parse().unwrap()]
        } else {
            vec![]
        },
        dns_search,
        dns_options,
        ..Wish::new(NetworkName::new(name).unwrap())
    }
}

/// What a view should say of a design.
fn expected(design: &Design) -> View {
    let wish = &design.wish;
    let subnets = design.subnets.iter().map(|plan| Subnet {
        subnet: plan.subnet,
        gateway: Some(plan.gateway),
        // A range that is all of the subnet is none.
        range: plan.range.filter(|range| *range != ::subnet::hosts(plan.subnet)),
    });
    View {
        driver: design.driver.as_str().to_owned(),
        ipam: Some("host-local".to_owned()),
        data_dir: None,
        subnets: subnets.collect(),
        link: Some(design.link.clone()),
        mtu: design.mtu.map(Mtu::bytes),
        is_internal: wish.internal,
        is_isolated: design.isolate,
        dns: cni::Dns {
            nameservers: wish.dns.iter().map(ToString::to_string).collect(),
            domain: String::new(),
            search: wish.dns_search.clone(),
            options: wish.dns_options.clone(),
        },
        labels: wish.labels.clone(),
        options: wish.options.written.clone(),
        created: Some(design.created.to_string()),
        is_ours: true,
        host_binding: wish.options.host_binding,
        interface_prefix: wish.options.interface_prefix.clone(),
    }
}

#[test]
fn every_design_is_read_as_it_was_decided() {
    let mut pools = pool::standard();
    pools.push(Pool::new("fd10::/48".parse().unwrap(), 64).unwrap());
    let facts = facts();
    let around = Surroundings { facts: &facts, known: &[], pools: &pools };
    let mut chance = Chance::new(0xca7a_1096);
    let (mut designed, mut refused) = (0, std::collections::BTreeMap::<String, usize>::new());
    for _ in 0..4_000 {
        let wish = wish(&mut chance);
        let design = match Design::new(wish, around, Timestamp::UNIX_EPOCH) {
            Ok(design) => design,
            Err(error) => {
                let kind = format!("{error:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
                *refused.entry(kind).or_default() += 1;
                continue;
            }
        };
        let text = design.conflist(|_| true).unwrap();
        let list = List::parse(text.clone().into_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(View::of(&list), expected(&design), "{text}");
        designed += 1;
    }
    assert!(designed > 1_000, "{designed} were designed, and refused were {refused:?}");
}
