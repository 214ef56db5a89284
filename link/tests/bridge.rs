//! Bridges on the running kernel. These tests need root.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Barrier;

use cni::Fault;
use ipnetwork::IpNetwork;
use link::bridge::{self, AddressChanges, BridgeSpec, Error, Keeper, OnConflict, Origin, Removal};
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
        let again = BridgeSpec { mac: Some(mac(9)), mtu: None, ..spec };
        assert_eq!(bridge::ensure(host, &again).unwrap(), (made, Origin::Existed));
    });
}

#[test]
fn somebody_elses_bridge_is_switched_on_and_keeps_its_alias() {
    on_a_fresh_host(|host| {
        foreign_bridge(host);
        let (found, origin) =
            bridge::ensure(host, &BridgeSpec { promiscuous: true, ..bridge_spec() }).unwrap();
        assert_eq!(origin, Origin::Adjusted);
        assert!(found.is_up && found.is_promiscuous && !found.is_ours());
        let network = Keeper::Network("net".parse().unwrap());
        for keeper in [Keeper::Containers, network] {
            assert_eq!(bridge::remove_if_unused(host, &name("br0"), &keeper).unwrap(), Removal::AnotherS);
        }
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
        let first = bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse, Vec::new).unwrap();
        assert_eq!(first.added, wanted);
        let second = bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse, Vec::new).unwrap();
        assert_eq!(second, AddressChanges::default());

        let others = networks(&["10.2.0.1/24", "fd00::2/64"]);
        let error =
            bridge::ensure_addresses(host, &bridge, &others, OnConflict::Refuse, Vec::new).unwrap_err();
        assert_eq!(error.to_string(), "give bridge br0 the address 10.2.0.1/24: it already has 10.1.0.1/24");
        assert!(error.hint().unwrap().contains("forceAddress"));
        let replaced =
            bridge::ensure_addresses(host, &bridge, &others, OnConflict::Replace, Vec::new).unwrap();
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
        bridge::ensure_addresses(host, &bridge, &wanted, OnConflict::Refuse, Vec::new).unwrap();
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
        let remove = |host: &mut RouteSocket| {
            bridge::remove_if_unused(host, &bridge.name, &Keeper::Containers).unwrap()
        };
        assert_eq!(remove(host), Removal::InUse { port: veth.host_name });
        host.remove_links(&[veth.host_index]).unwrap();
        assert_eq!(remove(host), Removal::Removed);
        assert_eq!(remove(host), Removal::Missing);
    });
}

#[test]
fn a_bridge_of_a_network_stays_until_that_network_gives_it_up() {
    on_a_fresh_host(|host| {
        let (mine, other) =
            (Keeper::Network("net".parse().unwrap()), Keeper::Network("net2".parse().unwrap()));
        let bridge = make(host);
        assert!(bridge.is_kept_by(&Keeper::Containers));
        bridge::hand_over(host, &bridge, &mine).unwrap();
        let (found, origin) = bridge::ensure(host, &bridge_spec()).unwrap();
        assert_eq!((found.alias.as_deref(), origin), (Some("netctl network net"), Origin::Existed));
        assert!(found.is_ours() && found.is_kept_by(&mine) && !found.is_kept_by(&other));
        for keeper in [Keeper::Containers, other] {
            let left = bridge::remove_if_unused(host, &bridge.name, &keeper).unwrap();
            assert_eq!(left, Removal::AnotherS, "{keeper:?}");
        }
        assert_eq!(bridge::remove_if_unused(host, &bridge.name, &mine).unwrap(), Removal::Removed);
        // What nobody keeps but its containers goes with the network as well.
        make(host);
        assert_eq!(bridge::remove_if_unused(host, &bridge.name, &mine).unwrap(), Removal::Removed);
    });
}

/// A bridge as it is between the request that makes it and the one that says whose it is.
fn half_made_bridge(host: &mut RouteSocket) {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName("br0".to_owned()));
    message.attributes.push(LinkAttribute::Group(0x6e63_7601));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    let mut batch = Batch::new();
    batch.create_link(Label::new("create bridge", "br0"), &message);
    host.run(batch).unwrap();
}

#[test]
fn a_bridge_that_somebody_left_half_made_is_finished_or_removed() {
    on_a_fresh_host(|host| {
        half_made_bridge(host);
        let half = bridge::find(host, &name("br0")).unwrap().unwrap();
        assert!(half.is_being_made && half.is_ours() && !half.is_up);
        let keeper = Keeper::Network("net".parse().unwrap());
        let spec = BridgeSpec { keeper: keeper.clone(), ..bridge_spec() };
        let (whole, origin) = bridge::ensure(host, &spec).unwrap();
        assert_eq!(origin, Origin::Adjusted);
        assert!(whole.is_up && !whole.is_being_made && whole.is_kept_by(&keeper));
        assert_eq!(link(host, "br0").unwrap().group, 0);
        assert_eq!(Sysctl::ipv6_conf(&spec.name, "accept_ra").read().unwrap(), "0");
        host.remove_links(&[whole.index]).unwrap();
        for keeper in [Keeper::Containers, keeper] {
            half_made_bridge(host);
            let removed = bridge::remove_if_unused(host, &name("br0"), &keeper).unwrap();
            assert_eq!(removed, Removal::Removed);
        }
    });
}

#[test]
fn a_bridge_that_is_made_anew_has_the_address_that_neighbours_know() {
    on_a_fresh_host(|host| {
        let spec = BridgeSpec { mac: None, ..bridge_spec() };
        let [first, second] = [(); 2].map(|()| {
            let (bridge, origin) = bridge::ensure(host, &spec).unwrap();
            assert_eq!(origin, Origin::Created);
            host.remove_links(&[bridge.index]).unwrap();
            bridge.mac.unwrap()
        });
        assert!(first == second && first.is_unicast());
        let beside = BridgeSpec { name: name("br1"), ..spec.clone() };
        assert_ne!(bridge::ensure(host, &beside).unwrap().0.mac, Some(first));
        on_a_fresh_host(move |host| {
            assert_ne!(bridge::ensure(host, &spec).unwrap().0.mac, Some(first), "another host's");
        });
    });
}

#[test]
fn the_gateways_of_a_network_s_other_ranges_are_in_nobody_s_way() {
    on_a_fresh_host(|host| {
        let bridge = make(host);
        let both = networks(&["10.1.0.1/24", "10.2.0.1/24"]);
        let nobody = || -> Vec<IpNetwork> { panic!("nothing is in the way") };
        bridge::ensure_addresses(host, &bridge, &both, OnConflict::Refuse, nobody).unwrap();
        bridge::ensure_addresses(host, &bridge, &both, OnConflict::Refuse, nobody).unwrap();
        for on_conflict in [OnConflict::Refuse, OnConflict::Replace] {
            let one = networks(&["10.2.0.1/24"]);
            let changes = bridge::ensure_addresses(host, &bridge, &one, on_conflict, || both.clone());
            assert_eq!(changes.unwrap(), AddressChanges::default());
        }
        let alone =
            bridge::ensure_addresses(host, &bridge, &networks(&["10.3.0.1/24"]), OnConflict::Refuse, || {
                networks(&["10.1.0.1/24"])
            });
        assert!(alone.unwrap_err().to_string().ends_with("it already has 10.2.0.1/24"));
    });
}

#[test]
fn a_bridge_is_switched_back_to_what_it_was() {
    on_a_fresh_host(|host| {
        foreign_bridge(host);
        let before = bridge::find(host, &name("br0")).unwrap().unwrap();
        let spec = BridgeSpec { promiscuous: true, ..bridge_spec() };
        let (changed, origin) = bridge::ensure(host, &spec).unwrap();
        assert!(origin == Origin::Adjusted && changed.is_up && changed.is_promiscuous);
        bridge::restore(host, &before).unwrap();
        assert_eq!(bridge::find(host, &before.name).unwrap().unwrap(), before);
        bridge::restore(host, &before).unwrap();
        host.remove_links(&[before.index]).unwrap();
        bridge::restore(host, &before).unwrap();
    });
}
