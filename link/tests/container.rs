//! The container's end on the running kernel. These tests need root.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use cni::{Ip, Route};
use ipnetwork::IpNetwork;
use link::bridge::{OnConflict, ensure_addresses};
use link::container::{self, ContainerSpec, Duplicates, Error, State};
use link::port::PortSpec;
use link::sysctl::Sysctl;
use link::{inventory, loopback, sync};
use netlink::{Link, RouteSocket};
use support::{Container, attach, bridge, ip, link, make_veth, name, on_a_fresh_host, route};

fn spec(index: u32, ips: Vec<Ip>, routes: Vec<Route>) -> ContainerSpec {
    ContainerSpec { index, name: name("eth0"), state: State::Up, ips, routes, duplicates: Duplicates::Trust }
}

fn configured(socket: &mut RouteSocket, spec: &ContainerSpec) -> Result<Link, Error> {
    container::configure(socket, spec)?.wait(socket)
}

#[test]
fn a_container_has_what_was_planned_for_it() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let ips = vec![ip("10.1.0.2/24", "10.1.0.1"), ip("fd00::2/64", "fd00::1")];
        let veth = attach(host, &bridge, &container, 1, ips);
        container.run(|socket| {
            let eth0 = link(socket, "eth0").unwrap();
            assert!(eth0.is_up && eth0.has_carrier);
            let addresses = socket.addresses_of(eth0.index).unwrap();
            let texts: Vec<_> = addresses.iter().map(|address| address.network.to_string()).collect();
            assert_eq!(texts[..2], ["10.1.0.2/24", "fd00::2/64"]);
            assert!(
                addresses.iter().all(|address| address.state == netlink::AddressState::Ready),
                "{addresses:?}"
            );
            let routes = socket.routes_of(eth0.index).unwrap();
            for (destination, gateway) in [("0.0.0.0/0", "10.1.0.1"), ("::/0", "fd00::1")] {
                let route = routes.iter().find(|route| route.destination.to_string() == destination).unwrap();
                assert_eq!(route.hops[0].gateway, Some(gateway.parse().unwrap()));
            }
            assert_eq!(Sysctl::ipv4_conf(&name("eth0"), "arp_notify").read().unwrap(), "1");
            assert_eq!(Sysctl::ipv6_conf(&name("eth0"), "keep_addr_on_down").read().unwrap(), "1");
            assert!(loopback::find(socket).unwrap().link.is_up);
        });
        host.remove_links(&[veth.host_index]).unwrap();
        assert_eq!(container.run(|socket| link(socket, "eth0")), None);
    });
}

/// The first packet of a container, sent once in the instant its ADD is done, reaches the bridge's address.
fn first_packet_arrives(containers: u8, gateway: &'static str, address: fn(u8) -> String) {
    on_a_fresh_host(move |host| {
        let bridge = bridge(host);
        let network: IpNetwork = gateway.parse().unwrap();
        ensure_addresses(host, &bridge, &[network], OnConflict::Refuse, Vec::new).unwrap();
        let receiver = UdpSocket::bind(SocketAddr::new(network.ip(), 7777)).unwrap();
        receiver.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        for number in 1..=containers {
            let container = Container::new();
            attach(host, &bridge, &container, number, vec![ip(&address(number), &network.ip().to_string())]);
            container.run(|_| {
                let any: SocketAddr = if network.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().unwrap();
                let sender = UdpSocket::bind(any).unwrap();
                sender.send_to(b"first", (network.ip(), 7777)).unwrap();
            });
            assert!(receiver.recv(&mut [0; 16]).is_ok(), "the first packet of container {number} is lost");
        }
    });
}

#[test]
fn the_first_ipv4_packet_arrives_also_from_the_first_container() {
    first_packet_arrives(20, "10.1.0.1/24", |number| format!("10.1.0.{}/24", number + 1));
}

#[test]
fn the_first_ipv6_packet_arrives_also_from_the_first_container() {
    first_packet_arrives(20, "fd00::1/64", |number| format!("fd00::{:x}/64", number + 1));
}

#[test]
fn ipv6_that_is_switched_off_in_the_container_is_switched_on() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        container.run(|_| {
            Sysctl::net("ipv6/conf/default/disable_ipv6").ensure("1").unwrap();
            Sysctl::net("ipv6/conf/all/disable_ipv6").ensure("1").unwrap();
        });
        attach(host, &bridge, &container, 1, vec![ip("fd00::2/64", "fd00::1")]);
    });
}

#[test]
fn routes_keep_all_that_was_said_of_them() {
    on_a_fresh_host(|host| {
        let container = Container::new();
        let veth = make_veth(host, &container, 1, None, &PortSpec::default()).unwrap();
        let through =
            |destination, gateway: &str| Route { gw: Some(gateway.parse().unwrap()), ..route(destination) };
        let routes = vec![
            through("10.9.0.0/16", "10.1.0.1"),
            through("10.9.0.0/16", "10.1.0.3"),
            through("fd09::/16", "fd00::1"),
            through("fd09::/16", "fd00::3"),
            Route {
                mtu: Some(1400),
                advmss: Some(1360),
                priority: Some(7),
                ..through("10.8.0.0/16", "10.1.0.1")
            },
            Route { table: Some(1000), ..through("10.7.0.0/16", "192.0.2.1") },
            through("10.6.0.0/16", "fd00::1"),
        ];
        let ips = vec![ip("10.1.0.2/24", "10.1.0.1"), ip("fd00::2/64", "fd00::1")];
        container.run(|socket| {
            configured(socket, &spec(veth.container_index, ips, routes)).unwrap();
            let all = socket.routes_of(veth.container_index).unwrap();
            let to = |text: &str| all.iter().find(|route| route.destination.to_string() == text).unwrap();
            assert_eq!(to("10.9.0.0/16").hops.len(), 2);
            assert_eq!(to("fd09::/16").hops.len(), 2);
            let route = to("10.8.0.0/16");
            assert_eq!((route.mtu, route.advmss, route.priority), (Some(1400), Some(1360), Some(7)));
            assert_eq!(to("10.7.0.0/16").table, 1000);
            assert_eq!(to("10.6.0.0/16").hops[0].gateway, Some("fd00::1".parse().unwrap()));
        });
    });
}

#[test]
fn an_interface_that_is_to_stay_down_stays_down() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let veth = make_veth(host, &container, 1, Some(bridge.index), &PortSpec::default()).unwrap();
        let down = ContainerSpec { state: State::Down, ..spec(veth.container_index, vec![], vec![]) };
        let eth0 = container.run(|socket| configured(socket, &down).unwrap());
        assert!(!eth0.is_up);
        let settled = sync::settle(host, veth.host_index, Some(bridge.index)).unwrap();
        assert!(!settled.is_forwarding());
    });
}

#[test]
fn an_address_that_another_container_has_is_found_when_it_is_looked_for() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let containers = [Container::new(), Container::new()];
        attach(host, &bridge, &containers[0], 1, vec![ip("fd00::2/64", "fd00::1")]);
        let veth = make_veth(host, &containers[1], 2, Some(bridge.index), &PortSpec::default()).unwrap();
        let ips = vec![ip("fd00::2/64", "fd00::1"), ip("fd00::3/64", "fd00::1")];
        let tried =
            ContainerSpec { duplicates: Duplicates::Detect, ..spec(veth.container_index, ips, vec![]) };
        let error = containers[1].run(|socket| {
            let configured = container::configure(socket, &tried).unwrap();
            sync::settle(host, veth.host_index, Some(bridge.index)).unwrap();
            configured.wait(socket).unwrap_err()
        });
        assert_eq!(error.to_string(), "use address fd00::2 on eth0: another host has it");
    });
}

#[test]
fn an_address_that_nobody_has_is_usable_after_it_was_tried() {
    on_a_fresh_host(|host| {
        let bridge = bridge(host);
        let container = Container::new();
        let veth = make_veth(host, &container, 1, Some(bridge.index), &PortSpec::default()).unwrap();
        let ips = vec![ip("fd00::2/64", "fd00::1")];
        let tried =
            ContainerSpec { duplicates: Duplicates::Detect, ..spec(veth.container_index, ips, vec![]) };
        container.run(|socket| {
            let configured = container::configure(socket, &tried).unwrap();
            sync::settle(host, veth.host_index, Some(bridge.index)).unwrap();
            configured.wait(socket).unwrap();
            let found = socket.addresses_of(veth.container_index).unwrap();
            let own = found.iter().find(|address| address.network.to_string() == "fd00::2/64").unwrap();
            assert_eq!(own.state, netlink::AddressState::Ready);
        });
    });
}

#[test]
fn loopback_goes_on_and_off() {
    on_a_fresh_host(|host| {
        assert_eq!(loopback::find(host).unwrap().addresses, []);
        for _ in 0..2 {
            let on = loopback::ensure_up(host).unwrap();
            assert!(on.link.is_up);
            let texts: Vec<_> = on.addresses.iter().map(|address| address.network.to_string()).collect();
            assert_eq!(texts, ["127.0.0.1/8", "::1/128"]);
        }
        loopback::ensure_down(host).unwrap();
        assert!(!loopback::find(host).unwrap().link.is_up);
    });
}

#[test]
fn an_inventory_has_every_link_with_its_addresses() {
    on_a_fresh_host(|host| {
        loopback::ensure_up(host).unwrap();
        let bridge = bridge(host);
        ensure_addresses(host, &bridge, &["10.1.0.1/24".parse().unwrap()], OnConflict::Refuse, Vec::new)
            .unwrap();
        let all = inventory::list(host).unwrap();
        let names: Vec<_> = all.iter().map(|entry| entry.link.name.to_string()).collect();
        assert_eq!(names, ["lo", "br0"]);
        assert_eq!(all[0].addresses.len(), 2);
        assert_eq!(all[1].addresses[0].network.to_string(), "10.1.0.1/24");
    });
}

#[test]
fn a_setting_is_written_only_when_it_differs() {
    use link::sysctl::Outcome;
    on_a_fresh_host(|_| {
        let forwarding = Sysctl::ipv4_forwarding();
        assert_eq!(forwarding.ensure("1").unwrap(), Outcome::Changed);
        assert_eq!(forwarding.ensure("1").unwrap(), Outcome::Same);
        assert_eq!(forwarding.read().unwrap(), "1");
        let missing = Sysctl::ipv6_conf(&name("eth7"), "accept_ra");
        assert!(missing.ensure("0").unwrap_err().is_missing());
        assert_eq!(missing.ensure_if_there("0").unwrap(), Outcome::Same);
        let error = Sysctl::net("ipv6/conf/all/forwarding").ensure("no").unwrap_err();
        assert_eq!(error.to_string(), "write no to /proc/sys/net/ipv6/conf/all/forwarding");
    });
}
