//! Veth pairs on the running kernel. These tests need root.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::Command;

use cni::{Fault, Reloaded};
use link::port::{self, PortSpec, PortVlans};
use link::veth::{self, Error, GROUP};
use netlink::packet::link::{LinkAttribute, LinkMessage};
use netlink::{Batch, Label, LinkName, RouteSocket};
use support::{Container, alias, bridge, link, mac, make_veth, name, on_a_fresh_host};
use vocab::MacAddress;

fn rename_alias(host: &mut RouteSocket, index: u32, alias: &str, group: u32) {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes = vec![LinkAttribute::IfAlias(alias.to_owned()), LinkAttribute::Group(group)];
    let mut batch = Batch::new();
    batch.set_link(Label::new("mark", index), &message);
    host.run(batch).unwrap();
}

#[test]
fn both_ends_are_where_they_belong_from_the_start() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let veth = make_veth(host, &container, 1, Some(bridge.index), &PortSpec::default()).unwrap();
        let outside = link(host, "veth1").unwrap();
        assert_eq!(
            (outside.index, outside.mac),
            (veth.host_index, Some(MacAddress::new([2, 0, 0, 0, 1, 1])))
        );
        assert_eq!((outside.controller, outside.group), (Some(bridge.index), GROUP));
        assert!(outside.is_up && alias(1).is_on(&outside));
        let inside = container.run(|socket| link(socket, "eth0").unwrap());
        assert_eq!(
            (inside.index, inside.mac, inside.mtu),
            (veth.container_index, Some(MacAddress::new([2, 0, 0, 0, 2, 1])), veth.mtu)
        );
        assert!(!inside.is_up);
        assert_eq!(link(host, "eth0"), None);
    });
}

#[test]
fn a_port_has_its_flags() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let port = PortSpec { hairpin: true, isolated: true, vlans: None };
        make_veth(host, &container, 1, Some(bridge.index), &port).unwrap();
        let made = link(host, "veth1").unwrap().port.unwrap();
        assert!(made.hairpin && made.isolated);
    });
}

#[test]
fn a_kernel_that_minds_no_vlans_is_named_and_the_pair_is_not_left_behind() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let vlans = PortVlans { access: Some(100), ..PortVlans::default() };
        let port = PortSpec { vlans: Some(vlans), ..PortSpec::default() };
        match make_veth(host, &container, 1, Some(bridge.index), &port) {
            Ok(_) => println!("skipped: this kernel's bridges mind VLANs"),
            Err(error) => {
                assert!(matches!(error, Error::NoVlanFiltering { .. }), "{error}");
                assert!(error.to_string().contains("CONFIG_BRIDGE_VLAN_FILTERING"));
                assert_eq!(link(host, "veth1"), None);
                assert_eq!(container.run(|socket| link(socket, "eth0")), None);
            }
        }
    });
}

#[test]
fn a_strangers_link_keeps_its_name_and_everything_else() {
    on_a_fresh_host(|host| {
        let elsewhere = Container::new();
        let stranger = make_veth(host, &elsewhere, 1, None, &PortSpec::default()).unwrap();
        for (text, group) in [("mine", 0), ("mine", GROUP)] {
            rename_alias(host, stranger.host_index, text, group);
            let before = link(host, "veth1").unwrap();
            let container = Container::new();
            let veth = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
            assert_eq!(veth.host_name, name("veth1b"));
            assert_eq!(link(host, "veth1").unwrap(), before);
            host.remove_links(&[veth.host_index]).unwrap();
        }
        let second = make_veth(host, &Container::new(), 1, None, &PortSpec::default()).unwrap();
        rename_alias(host, second.host_index, "yours", 0);
        let container = Container::new();
        let error = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap_err();
        assert_eq!(error.to_string(), "create veth: the names veth1, veth1b belong to others");
    });
}

#[test]
fn a_leftover_of_the_same_attachment_makes_way() {
    on_a_fresh_host(|host| {
        for unmarked in [false, true] {
            let before = Container::new();
            let leftover = make_veth(host, &before, 1, None, &PortSpec::default()).unwrap();
            if unmarked {
                rename_alias(host, leftover.host_index, "", GROUP);
            }
            let container = Container::new();
            let veth = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
            assert_eq!(veth.host_name, name("veth1"));
            assert_eq!(before.run(|socket| link(socket, "eth0")), None);
            host.remove_links(&[veth.host_index]).unwrap();
        }
    });
}

#[test]
fn an_interface_that_the_container_has_is_named_and_stays() {
    on_a_fresh_host(|host| {
        let container = Container::new();
        let running = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
        for number in [1, 2] {
            let error = make_veth(host, &container, number, None, &PortSpec::default()).unwrap_err();
            assert_eq!(error.to_string(), "create interface eth0 in the container: it has one of that name");
            assert!(error.hint().is_some());
        }
        assert_eq!(link(host, "veth1").unwrap().index, running.host_index);
        assert_eq!(link(host, "veth2"), None);
    });
}

#[test]
fn a_bridge_that_is_gone_is_named() {
    on_a_fresh_host(|host| {
        let container = Container::new();
        let error = make_veth(host, &container, 1, Some(4711), &PortSpec::default()).unwrap_err();
        assert!(matches!(error, Error::BridgeGone { .. }), "{error}");
        assert_eq!(link(host, "veth1"), None);
    });
}

#[test]
fn a_full_bridge_is_named() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let pair = |socket: &mut RouteSocket, number: u32| {
            let (own, inside, port) =
                (name(&format!("v{number}")), name(&format!("p{number}")), PortSpec::default());
            veth::create(
                socket,
                &veth::VethSpec {
                    host_names: &[own],
                    host_mac: mac(1),
                    container_name: &inside,
                    container_mac: mac(2),
                    mtu: None,
                    bridge: Some(bridge.index),
                    port: &port,
                    container_ns: container.ns(),
                    alias: &alias(1),
                },
            )
        };
        (0..1023).for_each(|number| drop(pair(host, number).unwrap()));
        let error = pair(host, 1023).unwrap_err();
        assert!(matches!(error, Error::BridgeFull { .. }), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(link(host, "v1023"), None);
        let all: Vec<u32> =
            host.links().unwrap().iter().filter(|port| port.is_kind("veth")).map(|port| port.index).collect();
        assert_eq!(all.len(), 1023);
        host.remove_links(&all).unwrap();
    });
}

#[test]
fn the_hosts_end_is_found_by_name_and_alias_or_from_inside() {
    on_a_fresh_host(|host| {
        let (container, other) = (Container::new(), Container::new());
        let veth = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
        let decoy = make_veth(host, &other, 2, None, &PortSpec::default()).unwrap();
        let names = [name("veth9"), name("veth2"), name("veth1")];
        let found = veth::find_owned(host, &names, |text| text == alias(1).as_str()).unwrap().unwrap();
        assert_eq!(found.index, veth.host_index);
        assert_eq!(veth::find_owned(host, &names, |text| text == alias(3).as_str()).unwrap(), None);

        let inside = container.run(|socket| link(socket, "eth0").unwrap());
        let found = veth::find_host_end(host, &inside, container.ns()).unwrap().unwrap();
        assert_eq!(found.index, veth.host_index);
        assert_eq!(
            veth::find_host_end(host, &inside, other.ns()).unwrap(),
            None,
            "numbers alone prove nothing"
        );
        let lo = container.run(|socket| link(socket, "lo").unwrap());
        assert_eq!(veth::find_host_end(host, &lo, container.ns()).unwrap(), None);
        assert_ne!(decoy.host_index, veth.host_index);
    });
}

#[test]
fn a_port_that_somebody_took_from_its_bridge_is_put_back() {
    on_a_fresh_host(|host| {
        let (container, made) = (Container::new(), bridge(host));
        let spec = PortSpec { hairpin: true, isolated: true, vlans: None };
        let veth = make_veth(host, &container, 1, Some(made.index), &spec).unwrap();
        let ensure = |host: &mut RouteSocket, bridge: u32| {
            let port = host.expect_link(LinkName::Index(veth.host_index)).unwrap();
            let reloaded = port::ensure(host, &port, bridge, &spec).unwrap();
            (reloaded, host.expect_link(LinkName::Index(veth.host_index)).unwrap())
        };
        let (reloaded, whole) = ensure(host, made.index);
        assert_eq!(reloaded, Reloaded::AsItWas);
        assert!(whole.is_up && whole.port.unwrap().hairpin && whole.port.unwrap().isolated);
        let name = veth.host_name.as_str();
        for words in [
            vec!["set", name, "nomaster"],
            vec!["set", name, "down"],
            vec!["set", name, "type", "bridge_slave", "hairpin", "off"],
            vec!["set", name, "type", "bridge_slave", "isolated", "off"],
        ] {
            assert!(Command::new("ip").arg("link").args(&words).status().unwrap().success());
            let (reloaded, port) = ensure(host, made.index);
            let seen = (port.controller, port.is_up, port.port.map(|port| (port.hairpin, port.isolated)));
            assert_eq!(seen, (Some(made.index), true, Some((true, true))), "{words:?}");
            assert_eq!(reloaded, Reloaded::PutBack, "{words:?}");
            assert_eq!(ensure(host, made.index).0, Reloaded::AsItWas, "{words:?}");
        }
        host.remove_links(&[made.index]).unwrap();
        let anew = bridge(host);
        assert_eq!(ensure(host, anew.index).0, Reloaded::PutBack);
        let port = host.expect_link(LinkName::Index(veth.host_index)).unwrap();
        assert!(port::ensure(host, &port, made.index, &spec).is_err(), "it is gone");
    });
}
