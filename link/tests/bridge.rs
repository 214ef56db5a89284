//! Bridges on the running kernel. These tests need root.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Barrier;

use cni::Fault;
use ipnetwork::IpNetwork;
use link::bridge::{self, AddressChanges, BridgeSpec, Error, OnConflict, Origin, Removal};
use link::port::PortSpec;
use link::sysctl::Sysctl;
use netlink::packet::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netlink::{Batch, Label, RouteSocket};
use nix::sched::{CloneFlags, setns, unshare};
use support::{Container, bridge as make, bridge_spec, link, mac, make_veth, name, on_a_fresh_host};

fn foreign_bridge(host: &mut RouteSocket) {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName("br0".to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    let mut batch = Batch::new();
    batch.create_link(Label::new("create bridge", "br0"), &message);
    host.run(batch).unwrap();
}

#[test]
fn a_bridge_is_made_once_and_found_right_from_then_on() {
    on_a_fresh_host(|host| {
        let spec = BridgeSpec { mtu: Some(1450), promiscuous: true, ..bridge_spec() };
        assert_eq!(bridge::find(host, &spec.name).unwrap(), None);
        let (made, origin) = bridge::ensure(host, &spec).unwrap();
        assert_eq!(origin, Origin::Created);
        assert!(made.is_up && made.is_promiscuous && made.is_ours());
        assert_eq!((made.mac, made.mtu), (Some(mac(1)), 1450));
        assert_eq!(Sysctl::ipv6_conf(&spec.name, "accept_ra").read().unwrap(), "0");
        let again = BridgeSpec { mac: mac(9), mtu: None, ..spec };
        assert_eq!(bridge::ensure(host, &again).unwrap(), (made, Origin::Existed));
    });
}

#[test]
fn somebody_elses_bridge_is_switched_on_and_keeps_its_alias() {
    on_a_fresh_host(|host| {
        foreign_bridge(host);
        let (found, origin) =
            bridge::ensure(host, &BridgeSpec { promiscuous: true, ..bridge_spec() }).unwrap();
        assert_eq!(origin, Origin::Existed);
        assert!(found.is_up && found.is_promiscuous && !found.is_ours());
        assert_eq!(bridge::remove_if_unused(host, &name("br0")).unwrap(), Removal::NotOurs);
    });
}

#[test]
fn somebody_elses_bridge_no_longer_changes_its_address_with_its_ports() {
    on_a_fresh_host(|host| {
        // Only a mount of this namespace's own shows its links.
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let private = nix::mount::MsFlags::MS_REC | nix::mount::MsFlags::MS_PRIVATE;
        nix::mount::mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
        nix::mount::mount(Some("sysfs"), "/sys", Some("sysfs"), nix::mount::MsFlags::empty(), None::<&str>)
            .unwrap();
        foreign_bridge(host);
        let set = || std::fs::read_to_string("/sys/class/net/br0/addr_assign_type").unwrap();
        assert_ne!(set(), "3\n");
        let (found, _) = bridge::ensure(host, &bridge_spec()).unwrap();
        assert_eq!(set(), "3\n");
        let container = Container::new();
        make_veth(host, &container, 1, Some(found.index), &PortSpec::default()).unwrap();
        assert_eq!(bridge::find(host, &found.name).unwrap().unwrap().mac, found.mac);
    });
}

#[test]
fn a_name_that_belongs_to_another_kind_of_link_is_refused() {
    on_a_fresh_host(|host| {
        let error = bridge::ensure(host, &BridgeSpec { name: name("lo"), ..bridge_spec() }).unwrap_err();
        assert_eq!(error.to_string(), "use lo as a bridge: it is another kind of link");
        let container = Container::new();
        make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
        let error = bridge::find(host, &name("veth1")).unwrap_err();
        assert_eq!(error.to_string(), "use veth1 as a bridge: it is veth");
    });
}

#[test]
fn a_kernel_that_minds_no_vlans_is_named_and_the_bridge_is_not_left_behind() {
    on_a_fresh_host(|host| {
        let spec = BridgeSpec { vlan_filtering: true, ..bridge_spec() };
        match bridge::ensure(host, &spec) {
            Ok((made, _)) => println!("skipped: this kernel's bridges mind VLANs: {:?}", made.vlan_filtering),
            Err(error) => {
                assert!(matches!(error, Error::NoVlanFiltering { .. }), "{error}");
                assert!(error.to_string().contains("CONFIG_BRIDGE_VLAN_FILTERING"));
                assert!(error.hint().is_some());
                assert_eq!(link(host, "br0"), None);
                make(host);
                assert!(matches!(bridge::ensure(host, &spec), Err(Error::NoVlanFiltering { .. })));
                assert!(link(host, "br0").is_some(), "it was there before");
            }
        }
    });
}

#[test]
fn of_many_who_need_the_bridge_at_once_one_makes_it() {
    on_a_fresh_host(|_| {
        let here = std::fs::File::open("/proc/thread-self/ns/net").unwrap();
        let barrier = Barrier::new(8);
        let made = std::thread::scope(|scope| {
            let ensure = || {
                setns(&here, CloneFlags::CLONE_NEWNET).unwrap();
                let mut socket = RouteSocket::open().unwrap();
                barrier.wait();
                bridge::ensure(&mut socket, &bridge_spec()).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ensure)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(made.iter().filter(|(_, origin)| *origin == Origin::Created).count(), 1);
        assert!(made.iter().all(|(bridge, _)| bridge.is_up && bridge.index == made[0].0.index));
    });
}

fn networks(texts: &[&str]) -> Vec<IpNetwork> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_bridge_gets_the_gateways_addresses_once() {
    on_a_fresh_host(|host| {
        let bridge = make(host);
        let wanted = networks(&["10.1.0.1/24", "fd00::1/64"]);
        let first = bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse).unwrap();
        assert_eq!(first.added, wanted);
        let second = bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse).unwrap();
        assert_eq!(second, AddressChanges::default());

        let others = networks(&["10.2.0.1/24", "fd00::2/64"]);
        let error = bridge::ensure_addresses(host, &bridge, &others, OnConflict::Refuse).unwrap_err();
        assert_eq!(error.to_string(), "give bridge br0 the address 10.2.0.1/24: it already has 10.1.0.1/24");
        assert!(error.hint().unwrap().contains("forceAddress"));
        let replaced = bridge::ensure_addresses(host, &bridge, &others, OnConflict::Replace).unwrap();
        assert_eq!(replaced, AddressChanges { added: others.clone(), removed: wanted.clone() });

        bridge::restore_addresses(host, &bridge, replaced).unwrap();
        let mut has: Vec<_> =
            host.addresses_of(bridge.index).unwrap().iter().map(|found| found.network).collect();
        has.retain(|network| !network.to_string().starts_with("fe80"));
        assert_eq!(has, wanted);
    });
}

#[test]
fn an_ipv6_gateway_needs_no_preparation_of_the_host() {
    on_a_fresh_host(|host| {
        Sysctl::net("ipv6/conf/default/disable_ipv6").ensure("1").unwrap();
        let bridge = make(host);
        let wanted = networks(&["fd00::1/64"]);
        bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse).unwrap();
        assert_eq!(Sysctl::ipv6_conf(&bridge.name, "disable_ipv6").read().unwrap(), "0");
    });
}

#[test]
fn only_a_bridge_of_ours_without_ports_is_removed() {
    on_a_fresh_host(|host| {
        let bridge = make(host);
        let container = Container::new();
        let veth = make_veth(host, &container, 1, Some(bridge.index), &PortSpec::default()).unwrap();
        let port = bridge::find_port(host, &bridge, |port| port.is_kind("veth")).unwrap().unwrap();
        assert_eq!(port.name, veth.host_name);
        let other = bridge::find_port(host, &bridge, |port| port.name != veth.host_name).unwrap();
        assert_eq!(other, None);
        assert_eq!(bridge::remove_if_unused(host, &bridge.name).unwrap(), Removal::InUse);
        host.remove_links(&[veth.host_index]).unwrap();
        assert_eq!(bridge::remove_if_unused(host, &bridge.name).unwrap(), Removal::Removed);
        assert_eq!(bridge::remove_if_unused(host, &bridge.name).unwrap(), Removal::Missing);
    });
}

#[test]
fn each_new_bridge_has_another_address() {
    let (one, other) = (bridge::random_mac(), bridge::random_mac());
    assert_ne!(one, other);
    assert!(one.is_unicast());
}
