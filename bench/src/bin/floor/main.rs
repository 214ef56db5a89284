//! Do what ADD and DEL of a bridge do with the fewest messages to the kernel, and tell how long it worked.
//!
//! There is no configuration, no lease, no result, no undo, and no error that one could understand: this is
//! the floor under a plugin, not one. It prints `kernel_ns=`, the time in the system calls that send and
//! receive; for `del`, the time until the link is gone for everybody, which is before the kernel lets go.

mod message;
mod wire;

use message::{
    GROUP_IPV6_ADDRESS, GROUP_LINK, IFLA_ADDRESS, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_LINK,
    IFLA_LINKINFO, IFLA_MASTER, IFLA_NET_NS_FD, IFLA_NUM_RX_QUEUES, IFLA_NUM_TX_QUEUES, Message, NLM_F_ACK,
    NLM_F_ECHO, RTM_DELLINK, RTM_GETLINK, VETH_INFO_PEER, attributes, ifinfo, number,
};
use netns::Netns;
use std::io::{self, Write};
use std::net::{AddrParseError, IpAddr};
use std::num::ParseIntError;
use std::os::fd::{AsFd, AsRawFd};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use wire::Wire;

const USAGE: &str = "usage: floor add NETNS BRIDGE HOST-END CONTAINER-END ADDRESS/PREFIX GATEWAY...
       floor del HOST-END";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{USAGE}")]
    Usage,
    #[error("read an address")]
    Address(#[from] AddrParseError),
    #[error("read a prefix length")]
    Prefix(#[from] ParseIntError),
    #[error("enter the namespace")]
    Netns(#[from] netns::Error),
    #[error("talk to the kernel")]
    Kernel(#[from] io::Error),
    #[error("find {0} in the kernel's answer")]
    Silent(&'static str),
}

/// An address of the container, and its way out.
#[derive(Clone, Copy)]
struct Address {
    address: IpAddr,
    prefix: u8,
    gateway: IpAddr,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let because = std::error::Error::source(&error).map(|source| format!(": {source}"));
            // Nobody is left to be told when stderr is closed.
            let _unheard = writeln!(io::stderr(), "floor: {error}{}", because.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Error> {
    match *words {
        ["add", netns, bridge, host_end, container_end, ref addresses @ ..] => {
            let addresses = addresses.chunks(2).map(parse).collect::<Result<Vec<_>, Error>>()?;
            let kernel = add(&Netns::open(netns)?, bridge, [host_end, container_end], &addresses)?;
            tell(kernel)
        }
        ["del", host_end] => del(host_end),
        _ => Err(Error::Usage),
    }
}

fn tell(kernel: Duration) -> Result<(), Error> {
    Ok(writeln!(io::stdout(), "kernel_ns={}", kernel.as_nanos())?)
}

fn parse(words: &[&str]) -> Result<Address, Error> {
    let [address, gateway] = words else { return Err(Error::Usage) };
    let (address, prefix) = address.split_once('/').ok_or(Error::Usage)?;
    Ok(Address { address: address.parse()?, prefix: prefix.parse()?, gateway: gateway.parse()? })
}

fn add(netns: &Netns, bridge: &str, ends: [&str; 2], addresses: &[Address]) -> Result<Duration, Error> {
    let first = addresses.first().ok_or(Error::Usage)?;
    let mut host = Wire::open()?;
    let bridge = Message::link(RTM_GETLINK, 0, 0).name(IFLA_IFNAME, bridge);
    let bridge = host.exchange(vec![bridge], |reply| Some(reply.link_index()))?;
    let bridge = bridge.ok_or(Error::Silent("the bridge"))?;
    let found = host.exchange(vec![pair(netns, bridge, ends, first.address)], |reply| {
        Some((reply.link_index(), reply.link_attribute(IFLA_LINK).and_then(number)?))
    })?;
    let (host_end, container_end) = found.ok_or(Error::Silent("the pair"))?;
    let inside = netns.visit(|| configure(container_end, addresses))??;
    // So that the port forwards: a question about a link makes the kernel catch up with its carrier.
    let ask = |index| Message::link(RTM_GETLINK, 0, index);
    host.exchange(vec![ask(host_end), ask(bridge)], |_| None::<()>)?;
    Ok(host.kernel + inside)
}

/// Two ends of a cable: on the bridge and up, and in the container with its final name.
fn pair(netns: &Netns, bridge: u32, [host_end, container_end]: [&str; 2], address: IpAddr) -> Message {
    let one = 1u32.to_ne_bytes();
    let netns = netns.as_fd().as_raw_fd().to_ne_bytes();
    let container_name = [container_end.as_bytes(), &[0]].concat();
    let peer = attributes(
        &ifinfo(0, false),
        [
            (IFLA_IFNAME, &container_name[..]),
            (IFLA_ADDRESS, &mac(0x0a, address)),
            (IFLA_NUM_TX_QUEUES, &one),
            (IFLA_NUM_RX_QUEUES, &one),
            (IFLA_NET_NS_FD, &netns),
        ],
    );
    let data = attributes(&[], [(VETH_INFO_PEER, &peer[..])]);
    let info = attributes(&[], [(IFLA_INFO_KIND, &b"veth"[..]), (IFLA_INFO_DATA, &data)]);
    Message::new_link(NLM_F_ECHO)
        .name(IFLA_IFNAME, host_end)
        .attribute(IFLA_ADDRESS, &mac(0x0e, address))
        .attribute(IFLA_NUM_TX_QUEUES, &one)
        .attribute(IFLA_NUM_RX_QUEUES, &one)
        .attribute(IFLA_MASTER, &bridge.to_ne_bytes())
        .attribute(IFLA_LINKINFO, &info)
}

/// A link-layer address that nobody else on the bridge has.
fn mac(kind: u8, address: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    [kind, 0x58, a, b, c, d]
}

/// Everything inside the container, in one batch whose last answer means that all is done.
fn configure(link: u32, addresses: &[Address]) -> Result<Duration, Error> {
    let mut wire = Wire::open()?;
    let ipv6 = addresses.iter().find(|address| address.address.is_ipv6());
    let heard = ipv6.map(|_| Wire::listen(GROUP_IPV6_ADDRESS)).transpose()?;
    let mut batch = vec![Message::set_up(link)];
    batch.extend(
        addresses.iter().map(|Address { address, prefix, .. }| Message::new_address(link, *address, *prefix)),
    );
    batch.extend(addresses.iter().map(|address| Message::new_default_route(link, address.gateway)));
    batch.push(Message::link(RTM_GETLINK, 0, link));
    wire.exchange(batch, |_| None::<()>)?;
    let mut kernel = wire.kernel;
    if let (Some(mut heard), Some(ipv6)) = (heard, ipv6) {
        // Until then, the kernel does not take what is sent to the address.
        heard.receive(|reply| Ok(reply.announces(ipv6.address).then_some(())))?;
        kernel += heard.kernel;
    }
    Ok(kernel)
}

fn del(host_end: &str) -> Result<(), Error> {
    let mut heard = Wire::listen(GROUP_LINK)?;
    let (begun, begin) = mpsc::channel();
    let name = host_end.to_owned();
    let removal = thread::spawn(move || {
        let mut wire = Wire::open()?;
        let request = Message::link(RTM_DELLINK, NLM_F_ACK, 0).name(IFLA_IFNAME, &name);
        let _listened = begun.send(Instant::now());
        wire.exchange(vec![request], |_| None::<()>)
    });
    let name = [host_end.as_bytes(), &[0]].concat();
    heard.receive(|reply| {
        // The same is announced for the port of the bridge, before the link is gone.
        let gone = reply.kind() == RTM_DELLINK && reply.family() == 0;
        Ok((gone && reply.link_attribute(IFLA_IFNAME) == Some(&name)).then_some(()))
    })?;
    let gone = Instant::now();
    let begin = begin.recv().map_err(|_| Error::Silent("the request"))?;
    tell(gone.saturating_duration_since(begin))?;
    // Only now the kernel lets go of the link.
    removal.join().unwrap_or(Ok(None))?;
    Ok(())
}
