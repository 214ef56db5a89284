//! Sockets that listen, and which published ports would take their packets away.

use std::net::{IpAddr, SocketAddr};

use nix::libc;
use vocab::{HostAddress, Port};

/// Of which family a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// `AF_INET` or `AF_INET6`, which fit into a byte.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::V4 => libc::AF_INET as u8,
            Self::V6 => libc::AF_INET6 as u8,
        }
    }
}

/// A socket that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    /// An IPv4 address is never written as an IPv6 one.
    pub(crate) address: SocketAddr,
    /// It is at `[::]` and takes IPv4's packets, too.
    pub(crate) is_dual: bool,
    /// What `/proc/PID/fd` calls it by; 0 if no process has it.
    pub(crate) inode: u64,
}

impl Socket {
    /// A socket as the kernel describes it.
    pub(crate) fn new(address: IpAddr, port: u16, v6_only: bool, inode: u64) -> Self {
        let is_dual = address.is_ipv6() && address.is_unspecified() && !v6_only;
        Self { address: SocketAddr::new(address.to_canonical(), port), is_dual, inode }
    }

    /// Whether it gets packets that come to one of those addresses.
    fn hears(&self, host_address: HostAddress) -> bool {
        let own = self.address.ip();
        let same_family = match own {
            IpAddr::V4(_) => host_address.has_v4(),
            IpAddr::V6(_) => host_address.has_v6(),
        };
        let overlaps = match host_address.one().map(|one| one.to_canonical()) {
            Some(one) => own == one || own.is_unspecified(),
            None => true,
        };
        self.is_dual && host_address.has_v4() || same_family && overlaps
    }
}

/// Sockets of one protocol, quick to look through.
#[derive(Debug)]
pub(crate) struct Sockets(Vec<Socket>);

impl Sockets {
    pub(crate) fn new(mut sockets: Vec<Socket>) -> Self {
        sockets.sort_by_key(|socket| socket.address.port());
        Self(sockets)
    }

    /// Those that have the port and hear one of the addresses.
    pub(crate) fn hearing(&self, host_address: HostAddress, port: Port) -> impl Iterator<Item = &Socket> {
        let first = self.0.partition_point(|socket| socket.address.port() < port.get());
        let same_port =
            self.0.iter().skip(first).take_while(move |socket| socket.address.port() == port.get());
        same_port.filter(move |socket| socket.hears(host_address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_as_packets_arrive() {
        let all = ["", "0.0.0.0", "::", "127.0.0.1", "10.0.0.1", "::1", "fd00::1"];
        let cases: [(&str, bool, &[&str]); 6] = [
            ("0.0.0.0", false, &["", "0.0.0.0", "127.0.0.1", "10.0.0.1"]),
            ("127.0.0.1", false, &["", "0.0.0.0", "127.0.0.1"]),
            ("::ffff:127.0.0.1", false, &["", "0.0.0.0", "127.0.0.1"]),
            ("::", false, &all),
            ("::", true, &["", "::", "::1", "fd00::1"]),
            ("fd00::1", false, &["", "::", "fd00::1"]),
        ];
        for (own, v6_only, expected) in cases {
            let socket = Socket::new(own.parse().unwrap(), 80, v6_only, 1);
            let heard: Vec<_> = all.into_iter().filter(|text| socket.hears(text.parse().unwrap())).collect();
            assert_eq!(heard, expected, "{own}");
        }
    }

    #[test]
    fn a_port_is_found_among_its_neighbours() {
        let at = |port| Socket::new("10.0.0.1".parse().unwrap(), port, false, u64::from(port));
        let sockets = Sockets::new([90, 80, 81, 79, 90].map(at).to_vec());
        let count = |port| sockets.hearing(HostAddress::Any, Port::new(port).unwrap()).count();
        assert_eq!([78, 79, 80, 82, 90, 91].map(count), [0, 1, 1, 0, 2, 0]);
    }
}
