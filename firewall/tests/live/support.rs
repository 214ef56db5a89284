//! A host that is a network namespace, with a bridge, two containers on it, and a neighbour outside.

use std::fs;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use firewall::{Firewall, Masquerade, Owner, SpoofCheck};
use ipnetwork::IpNetwork;
use netns::Netns;
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

/// A fresh namespace, or the reason why the test is skipped.
pub(crate) fn fresh() -> Option<Netns> {
    let _programs = (lab::tools::require("nft")?, lab::tools::require("ip")?);
    match Netns::create() {
        Ok(netns) => Some(netns),
        Err(error) => {
            lab::tools::skip(&format!("{error} (tests of the kernel's ruleset need root)"));
            None
        }
    }
}

/// Runs a program in the calling thread's namespace; returns what it prints.
pub(crate) fn run(words: &str) -> String {
    let words: Vec<_> = words.split_whitespace().collect();
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a script of `nft`.
pub(crate) fn nft(script: &str) {
    feed("nft -f -", script);
}

/// Runs a program with `input`.
pub(crate) fn feed(words: &str, input: &str) {
    let words: Vec<_> = words.split_whitespace().collect();
    let mut child =
        Command::new(words[0]).args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{words:?} refused:\n{input}");
}

pub(crate) fn ruleset() -> String {
    run("nft list ruleset")
}

pub(crate) fn interface(name: &str) -> InterfaceName {
    InterfaceName::new(name).unwrap()
}

pub(crate) fn network(name: &str) -> NetworkName {
    NetworkName::new(name).unwrap()
}

pub(crate) fn subnets(texts: &[&str]) -> Vec<IpNetwork> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Masquerades the subnets of a network behind a bridge.
pub(crate) fn ensure(firewall: &mut Firewall, name: &str, bridge: &str, texts: &[&str]) -> firewall::Ensured {
    let (network, interface, subnets) = (network(name), interface(bridge), subnets(texts));
    let masquerade = Masquerade { network: &network, interface: &interface, subnets: &subnets };
    firewall.ensure_masquerade(&masquerade).unwrap()
}

/// Whether they are masqueraded.
pub(crate) fn find(firewall: &mut Firewall, name: &str, bridge: &str, texts: &[&str]) -> firewall::Standing {
    let (network, interface, subnets) = (network(name), interface(bridge), subnets(texts));
    let masquerade = Masquerade { network: &network, interface: &interface, subnets: &subnets };
    firewall.find_masquerade(&masquerade).unwrap()
}

pub(crate) fn attachment(container: &str) -> Attachment {
    Attachment::new(ContainerId::new(container).unwrap(), interface("eth0"))
}

pub(crate) fn spoof_check(name: &str, container: &str) -> SpoofCheck {
    let attachment = attachment(container);
    SpoofCheck {
        interface: attachment.host_interface(0),
        mac: attachment.container_mac(),
        owner: Owner::attachment(&network(name), &attachment),
    }
}

/// The host `10.22.0.1`, `fd22::1`, `192.0.2.1`, `fd99::1`; containers `.11` and `.12`, a neighbour `.2`.
pub(crate) struct Landscape {
    pub(crate) host: Netns,
    pub(crate) containers: [Netns; 2],
    pub(crate) neighbour: Netns,
}

impl Landscape {
    pub(crate) fn new() -> Option<Self> {
        let host = fresh()?;
        let containers = [fresh()?, fresh()?];
        let neighbour = fresh()?;
        host.run(|| {
            run("ip link set lo up");
            run("ip link add br0 type bridge");
            run("ip addr add 10.22.0.1/24 dev br0");
            run("ip addr add fd22::1/64 dev br0 nodad");
            run("ip link set br0 up");
            for (number, container) in containers.iter().enumerate() {
                let port = format!("port{number}");
                cable(
                    &port,
                    container,
                    &format!("10.22.0.1{}/24", number + 1),
                    &format!("fd22::1{}/64", number + 1),
                );
                run(&format!("ip link set {port} master br0"));
            }
            cable("uplink", &neighbour, "192.0.2.2/24", "fd99::2/64");
            run("ip addr add 192.0.2.1/24 dev uplink");
            run("ip addr add fd99::1/64 dev uplink nodad");
            fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
            fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
        })
        .unwrap();
        for container in &containers {
            container
                .run(|| {
                    run("ip route add default via 10.22.0.1");
                    run("ip route add default via fd22::1");
                })
                .unwrap();
        }
        // Without masquerade the neighbour would answer the containers' own addresses.
        neighbour
            .run(|| {
                run("ip route add 10.22.0.0/24 via 192.0.2.1");
                run("ip route add fd22::/64 via fd99::1");
            })
            .unwrap();
        Some(Self { host, containers, neighbour })
    }
}

pub(crate) fn cable(port: &str, to: &Netns, v4: &str, v6: &str) {
    let path = format!("/proc/{}/fd/{}", std::process::id(), to.as_fd().as_raw_fd());
    run(&format!("ip link add {port} type veth peer name eth0 netns {path}"));
    run(&format!("ip link set {port} up"));
    to.run(|| {
        run(&format!("ip addr add {v4} dev eth0"));
        run(&format!("ip addr add {v6} dev eth0 nodad"));
        run("ip link set eth0 up");
    })
    .unwrap();
}

/// Sends datagrams from one namespace to an address of another until one arrives; tells as whom the sender
/// was seen. `None` when nothing arrives.
pub(crate) fn seen_as(from: &Netns, to: &Netns, address: &str, patience: Duration) -> Option<IpAddr> {
    let target = SocketAddr::new(address.parse().unwrap(), 9);
    let receiver = to.run(|| UdpSocket::bind(target)).unwrap().unwrap();
    let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let sender = from.run(|| UdpSocket::bind(any)).unwrap().unwrap();
    receiver.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut left = patience.as_millis() / 20;
    while left > 0 {
        left -= 1;
        // Unreachable for now is tried again.
        let _refused = sender.send_to(b"who am I?", target);
        if let Ok((_, seen)) = receiver.recv_from(&mut [0; 64]) {
            return Some(seen.ip());
        }
        thread::yield_now();
    }
    None
}
