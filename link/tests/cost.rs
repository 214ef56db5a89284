//! What the steps of an ADD cost. Not a test: it only prints. It needs root, and tells something only when built
//! as a release, on a quiet machine:
//!
//! `cargo test --release -p link --test cost -- --ignored --nocapture`
#![allow(clippy::print_stdout, reason = "it is all that this does")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use cni::Ip;
use link::bridge::{self, OnConflict};
use link::container::{self, ContainerSpec, Duplicates, State};
use link::port::PortSpec;
use link::sync;
use netlink::RouteSocket;
use netlink::reaper::{Caller, remove_link_detached};
use support::{Container, bridge_spec, ip, make_veth, name, on_a_fresh_host, route};

const ROUNDS: u8 = 200;
/// The kernel works off a removal in the background; the next round is not to pay for it.
const PAUSE: Duration = Duration::from_millis(40);

#[derive(Default)]
struct Steps(Vec<(&'static str, Vec<Duration>)>);

impl Steps {
    fn time<T>(&mut self, step: &'static str, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let value = work();
        self.note(step, begin.elapsed());
        value
    }

    fn note(&mut self, step: &'static str, took: Duration) {
        match self.0.iter_mut().find(|(known, _)| *known == step) {
            Some((_, all)) => all.push(took),
            None => self.0.push((step, vec![took])),
        }
    }

    fn print(mut self, title: &str) {
        println!("{title}: µs p50 / p90 / p99 / max");
        for (step, all) in &mut self.0 {
            all.sort_unstable();
            let at = |percent: usize| all[(all.len() * percent / 100).min(all.len() - 1)].as_micros();
            println!("  {step:30} {:6} {:6} {:6} {:6}", at(50), at(90), at(99), at(100));
        }
    }
}

fn measure(
    title: &'static str,
    ips: fn(u8) -> Vec<Ip>,
    gateways: &'static [&'static str],
    packet: &'static str,
) {
    on_a_fresh_host(move |host| {
        let mut steps = Steps::default();
        let gateways: Vec<_> = gateways.iter().map(|text| text.parse().unwrap()).collect();
        let (made, _) = bridge::ensure(host, &bridge_spec()).unwrap();
        bridge::ensure_addresses(host, &made, &gateways, OnConflict::Refuse, Vec::new).unwrap();
        let packet: SocketAddr = packet.parse().unwrap();
        let receiver = UdpSocket::bind(packet).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let containers: Vec<_> = (0..ROUNDS).map(|_| Container::new()).collect();
        for (number, container) in (2..).zip(&containers) {
            let index = round_trip(&mut steps, container, number, ips(number), &gateways, packet, &receiver);
            let removal = || remove_link_detached(index, &name("veth"), Vec::new(), Caller::LivesOn).unwrap();
            steps.time("detached removal", removal);
            std::thread::sleep(PAUSE);
        }
        steps.print(title);
    });
}

fn round_trip(
    steps: &mut Steps,
    container: &Container,
    number: u8,
    ips: Vec<Ip>,
    gateways: &[ipnetwork::IpNetwork],
    packet: SocketAddr,
    receiver: &UdpSocket,
) -> u32 {
    let begin = Instant::now();
    let mut host = steps.time("open the host's socket", || RouteSocket::open().unwrap());
    let (bridge, _) = steps.time("ensure bridge", || bridge::ensure(&mut host, &bridge_spec()).unwrap());
    steps.time("ensure its addresses", || {
        bridge::ensure_addresses(&mut host, &bridge, gateways, OnConflict::Refuse, Vec::new).unwrap()
    });
    let veth = steps.time("create veth", || {
        make_veth(&mut host, container, number, Some(bridge.index), &PortSpec::default()).unwrap()
    });
    let routes = ips.iter().map(|ip| if ip.address.is_ipv4() { route("0.0.0.0/0") } else { route("::/0") });
    let spec = ContainerSpec {
        index: veth.container_index,
        name: name("eth0"),
        state: State::Up,
        routes: routes.collect(),
        ips,
        duplicates: Duplicates::Trust,
    };
    let entering = Instant::now();
    let (configured, mut socket) = container.run(|_| {
        let mut socket = RouteSocket::open().unwrap();
        let configured =
            steps.time("configure container", || container::configure(&mut socket, &spec).unwrap());
        (configured, socket)
    });
    steps.note("the same with thread and setns", entering.elapsed());
    let settled =
        steps.time("settle", || sync::settle(&mut host, veth.host_index, Some(bridge.index)).unwrap());
    assert!(settled.is_forwarding());
    steps.time("wait for IPv6", || configured.wait(&mut socket).unwrap());
    steps.note("ADD", begin.elapsed());
    first_packet(steps, container, packet, receiver);
    veth.host_index
}

fn first_packet(steps: &mut Steps, container: &Container, packet: SocketAddr, receiver: &UdpSocket) {
    let any = if packet.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let sent = container.run(|_| {
        let sender = UdpSocket::bind(any).unwrap();
        let sent = Instant::now();
        sender.send_to(b"first", packet).unwrap();
        sent
    });
    receiver.recv(&mut [0; 16]).unwrap();
    steps.note("first packet, sent once", sent.elapsed());
}

#[test]
#[ignore = "a measurement"]
fn one_family() {
    measure(
        "IPv4",
        |number| vec![ip(&format!("10.1.0.{number}/24"), "10.1.0.1")],
        &["10.1.0.1/24"],
        "10.1.0.1:7777",
    );
}

#[test]
#[ignore = "a measurement"]
fn two_families() {
    measure(
        "IPv4 and IPv6",
        |number| {
            vec![
                ip(&format!("10.1.0.{number}/24"), "10.1.0.1"),
                ip(&format!("fd00::{number:x}/64"), "fd00::1"),
            ]
        },
        &["10.1.0.1/24", "fd00::1/64"],
        "[fd00::1]:7777",
    );
}
