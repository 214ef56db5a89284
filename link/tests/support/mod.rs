//! A host and containers that are network namespaces of a test's own.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};

use cni::{Ip, Route};
use link::bridge::{self, BridgeFacts, BridgeSpec, Keeper};
use link::container::{self, ContainerSpec, Duplicates, State};
use link::port::PortSpec;
use link::veth::{self, Veth, VethSpec};
use link::{Alias, sync};
use netlink::{Link, LinkName, RouteSocket};
use nix::sched::{CloneFlags, setns, unshare};
use vocab::{InterfaceName, MacAddress};

/// Runs `test` on a thread of its own, on a host of its own.
pub(crate) fn on_a_fresh_host(test: impl FnOnce(&mut RouteSocket) + Send + 'static) {
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        test(&mut RouteSocket::open().unwrap());
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A container: a network namespace that lives as long as this value.
pub(crate) struct Container(File);

impl Container {
    pub(crate) fn new() -> Self {
        let make = || {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        };
        Self(std::thread::spawn(make).join().unwrap())
    }

    pub(crate) fn ns(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Runs `job` on a thread inside.
    pub(crate) fn run<T: Send>(&self, job: impl FnOnce(&mut RouteSocket) -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = || {
                setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
                job(&mut RouteSocket::open().unwrap())
            };
            match scope.spawn(inside).join() {
                Ok(value) => value,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

pub(crate) fn name(text: &str) -> InterfaceName {
    InterfaceName::new(text).unwrap()
}

pub(crate) fn mac(last: u8) -> MacAddress {
    MacAddress::new([2, 0, 0, 0, 0, last])
}

pub(crate) fn ip(address: &str, gateway: &str) -> Ip {
    Ip { address: address.parse().unwrap(), gateway: Some(gateway.parse().unwrap()), interface: None }
}

pub(crate) fn route(destination: &str) -> Route {
    Route::to(destination.parse().unwrap())
}

pub(crate) fn bridge_spec() -> BridgeSpec {
    BridgeSpec {
        name: name("br0"),
        mtu: None,
        promiscuous: false,
        vlan_filtering: false,
        mac: Some(mac(1)),
        keeper: Keeper::Containers,
    }
}

pub(crate) fn bridge(host: &mut RouteSocket) -> BridgeFacts {
    bridge::ensure(host, &bridge_spec()).unwrap().0
}

pub(crate) fn link(socket: &mut RouteSocket, text: &str) -> Option<Link> {
    socket.find_link(LinkName::Name(&name(text))).unwrap()
}

pub(crate) fn make_veth(
    host: &mut RouteSocket,
    container: &Container,
    number: u8,
    bridge: Option<u32>,
    port: &PortSpec,
) -> Result<Veth, veth::Error> {
    let spec = VethSpec {
        host_names: &[name(&format!("veth{number}")), name(&format!("veth{number}b"))],
        host_mac: MacAddress::new([2, 0, 0, 0, 1, number]),
        container_name: &name("eth0"),
        container_mac: MacAddress::new([2, 0, 0, 0, 2, number]),
        mtu: None,
        bridge,
        port,
        container_ns: container.ns(),
        alias: &alias(number),
    };
    veth::create(host, &spec)
}

pub(crate) fn alias(number: u8) -> Alias {
    Alias::new(&format!("net/c{number}/eth0"))
}

/// The whole way of a container onto `bridge`, with addresses and default routes.
pub(crate) fn attach(
    host: &mut RouteSocket,
    bridge: &BridgeFacts,
    container: &Container,
    number: u8,
    ips: Vec<Ip>,
) -> Veth {
    let veth = make_veth(host, container, number, Some(bridge.index), &PortSpec::default()).unwrap();
    let routes = ips.iter().map(|ip| if ip.address.is_ipv4() { route("0.0.0.0/0") } else { route("::/0") });
    let spec = ContainerSpec {
        index: veth.container_index,
        name: name("eth0"),
        state: State::Up,
        routes: routes.collect(),
        ips,
        duplicates: Duplicates::Trust,
    };
    container.run(|socket| {
        let configured = container::configure(socket, &spec).unwrap();
        let settled = sync::settle(host, veth.host_index, Some(bridge.index)).unwrap();
        assert!(settled.is_forwarding(), "{settled:?}");
        configured.wait(socket).unwrap();
    });
    veth
}
