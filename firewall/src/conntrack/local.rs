//! Whether an address is this host's.
//!
//! The kernel is asked where it would deliver a packet to the address, as `ip route get` does. Unlike a list of
//! addresses that costs the same on a host with thousands of them, and knows 127.0.0.0/8 and local routes, too.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use netlink_packet_core::{NLM_F_REQUEST, NLMSG_ERROR, NetlinkBuffer};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::libc;

use super::Error;

/// Header of a message, `struct rtmsg`, header of an attribute.
const HEADER: usize = 16;
const ROUTE: usize = 12;
const ATTRIBUTE: usize = 4;
/// Where in `struct rtmsg` the type of the route is.
const ROUTE_TYPE: usize = 7;
/// More than any route takes that is asked for by its destination.
const LONGEST_ANSWER: usize = 16 * 1024;

/// The host's addresses, as far as somebody has asked for them.
#[derive(Default)]
pub(super) struct LocalAddresses {
    socket: Option<Socket>,
    known: HashMap<IpAddr, bool>,
}

impl LocalAddresses {
    /// Whether packets to the address end at this host.
    pub(super) fn contains(&mut self, address: IpAddr) -> Result<bool, Error> {
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        let is_local = self.ask(address).map_err(|source| Error::Local { address, source })?;
        self.known.insert(address, is_local);
        Ok(is_local)
    }

    fn ask(&mut self, address: IpAddr) -> io::Result<bool> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => Socket::new(NETLINK_ROUTE)?,
        };
        let socket = self.socket.insert(socket);
        socket.send_to(&question(address), &SocketAddr::new(0, 0), 0)?;
        let mut answer = Vec::with_capacity(LONGEST_ANSWER);
        socket.recv(&mut answer, 0)?;
        read(&answer)
    }
}

/// `RTM_GETROUTE` with the destination.
fn question(address: IpAddr) -> Vec<u8> {
    let (family, value) = match address {
        IpAddr::V4(v4) => (libc::AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (libc::AF_INET6, v6.octets().to_vec()),
    };
    let attribute_len = ATTRIBUTE + value.len();
    let mut bytes = ((HEADER + ROUTE + attribute_len) as u32).to_ne_bytes().to_vec();
    bytes.extend([libc::RTM_GETROUTE, NLM_F_REQUEST].map(u16::to_ne_bytes).concat());
    bytes.extend([1_u32, 0].map(u32::to_ne_bytes).concat());
    bytes.extend([family as u8, (value.len() * 8) as u8]);
    bytes.resize(HEADER + ROUTE, 0);
    bytes.extend([attribute_len as u16, libc::RTA_DST].map(u16::to_ne_bytes).concat());
    bytes.extend(value);
    bytes
}

fn read(answer: &[u8]) -> io::Result<bool> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let message = NetlinkBuffer::new_checked(answer).map_err(|_| malformed())?;
    let payload = message.payload();
    if message.message_type() != NLMSG_ERROR {
        return payload.get(ROUTE_TYPE).map(|kind| *kind == libc::RTN_LOCAL).ok_or_else(malformed);
    }
    let code = payload.first_chunk().map(|code| i32::from_ne_bytes(*code)).ok_or_else(malformed)?;
    match Errno::from_raw(-code) {
        // No way leads there, or none that may be gone: `ip route add blackhole`, `prohibit`, a throw.
        Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::EINVAL | Errno::EACCES | Errno::EAGAIN => Ok(false),
        errno => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netns::Netns;
    use std::process::Command;

    #[test]
    fn an_address_is_the_host_s_when_packets_to_it_end_here() {
        let Some(_ip) = lab::tools::require("ip") else { return };
        let host = match Netns::create() {
            Ok(host) => host,
            Err(error) => return lab::tools::skip(&format!("{error} (it takes root)")),
        };
        host.run(|| {
            for words in [
                "link set lo up",
                "link add v1 type veth peer name v2",
                "addr add 192.0.2.1/24 dev v1",
                "addr add fd99::1/64 dev v1 nodad",
                "link set v2 up",
                "link set v1 up",
                "route add local 198.51.100.0/24 dev lo",
                "route add blackhole 203.0.113.0/24",
                "route add prohibit 203.0.114.0/24",
            ] {
                assert!(Command::new("ip").args(words.split(' ')).status().unwrap().success(), "{words}");
            }
            let mut local = LocalAddresses::default();
            let mut contains = |text: &str| local.contains(text.parse().unwrap()).unwrap();
            for own in ["192.0.2.1", "127.0.0.1", "127.9.9.9", "198.51.100.7", "fd99::1", "::1"] {
                assert!(contains(own) && contains(own), "{own}");
            }
            for foreign in [
                "192.0.2.2",
                "192.0.2.255",
                "8.8.8.8",
                "203.0.113.1",
                "203.0.114.1",
                "fd99::2",
                "2001:db8::1",
            ] {
                assert!(!contains(foreign), "{foreign}");
            }
        })
        .unwrap();
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        assert!(read(&[]).is_err());
        assert!(read(&question("10.0.0.1".parse().unwrap())[..20]).is_err());
    }
}
