//! Who listens on a port of this host.
//!
//! A published port takes packets away from whatever process has that port on the host, and nobody would notice:
//! neither the process nor the kernel is asked. So the plugin asks here first, and its error names the process.
//!
//! The kernel is asked for its listening sockets (`NETLINK_SOCK_DIAG`, as `ss -l` does), once for any number of
//! ports: 12 µs a protocol and family, and 30 µs for 1,000 ports of both families. Trying to bind each port instead would
//! cost some system calls for each, would be seen by others (a server that starts in the same instant finds its port
//! taken, a datagram that arrives is swallowed), could not tell two such trials from servers, and would take sockets for
//! listeners that only have a number. `/proc/net/tcp` takes 5 ms on a large machine, for it looks
//! through all connections of all namespaces; it is read only where the kernel has no such netlink.

mod diag;
mod process;
mod socket;
mod tables;

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use nix::errno::Errno;
use vocab::{HostAddress, Port, PortMapping, PortRange, Protocol};

use socket::{Family, Sockets};

/// A process that has a port, as far as it can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Of which protocol the port is.
    pub protocol: Protocol,
    /// Where it listens: its own address, which may be that of all (`0.0.0.0`, `[::]`), and the port.
    pub address: SocketAddr,
    /// The process with the lowest number of those that share the socket; none when all are hidden from the caller
    /// (another user's, another pid namespace's) or the kernel itself listens.
    pub pid: Option<i32>,
    /// The name of its program, up to 15 bytes (`/proc/PID/comm`).
    pub program: Option<String>,
}

impl fmt::Display for Listener {
    /// `nginx (process 812) on 0.0.0.0:80/tcp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.program, self.pid) {
            (Some(program), Some(pid)) => write!(f, "{program} (process {pid})")?,
            (None, Some(pid)) => write!(f, "process {pid}")?,
            (_, None) => f.write_str("a process that cannot be seen from here")?,
        }
        write!(f, " on {}/{}", self.address, self.protocol)
    }
}

/// A port of the host that somebody would like to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Of which protocol.
    pub protocol: Protocol,
    /// At which of the host's addresses.
    pub host_address: HostAddress,
    /// Which port.
    pub port: Port,
}

impl From<&PortMapping> for Wanted {
    fn from(mapping: &PortMapping) -> Self {
        let PortMapping { host_address, host_port, protocol, .. } = *mapping;
        Self { protocol, host_address, port: host_port }
    }
}

/// Why it is not known who listens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such socket.
    #[error("open a netlink socket to ask who listens")]
    Open {
        /// What the kernel says.
        source: std::io::Error,
    },
    /// The question or its answer did not get through.
    #[error("ask the kernel who listens on {protocol} ports")]
    Exchange {
        /// Of which protocol.
        protocol: Protocol,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// The kernel refused to tell.
    #[error("ask the kernel who listens on {protocol} ports: {errno}")]
    Refused {
        /// Of which protocol.
        protocol: Protocol,
        /// Why it refused.
        errno: Errno,
    },
    /// A table of sockets cannot be read.
    #[error("read who listens from {}", path.display())]
    Table {
        /// Which file.
        path: PathBuf,
        /// What the kernel says.
        source: std::io::Error,
    },
}

/// Finds a process of the calling thread's network namespace that listens where a published port would take packets
/// away from it.
///
/// A TCP socket counts when it listens, a UDP socket when it has no peer. Whoever listens at all addresses overlaps
/// each one; a socket at `[::]` takes IPv4, too, unless it said otherwise (`IPV6_V6ONLY`). A kernel without SCTP or
/// IPv6 has nobody who listens there.
///
/// # Errors
/// [`Error`], when the kernel does not tell.
pub fn find(protocol: Protocol, host_address: HostAddress, port: Port) -> Result<Option<Listener>, Error> {
    Ok(find_any(&[Wanted { protocol, host_address, port }])?.map(|(_, listener)| listener))
}

/// Finds a process that listens at any of these ports: the first port of `wanted` that has one, and who it is. It
/// takes as long for 1,000 ports as for one.
///
/// # Errors
/// [`Error`], when the kernel does not tell.
pub fn find_any(wanted: &[Wanted]) -> Result<Option<(Wanted, Listener)>, Error> {
    find_any_but(wanted, |_| false)
}

/// The same, passing over processes of which `may_listen` says that they take nothing amiss. One that has many ports is
/// asked about once.
///
/// # Errors
/// [`Error`], when the kernel does not tell.
pub fn find_any_but(
    wanted: &[Wanted],
    mut may_listen: impl FnMut(&Listener) -> bool,
) -> Result<Option<(Wanted, Listener)>, Error> {
    let mut tables = Vec::new();
    for protocol in Protocol::ALL {
        for family in [Family::V4, Family::V6] {
            // A socket of IPv6 may take IPv4's packets, never the other way round.
            let concerned = wanted.iter().filter(|one| {
                one.protocol == protocol && (family == Family::V6 || one.host_address.has_v4())
            });
            if let Some(range) = span(concerned) {
                tables.push((protocol, Sockets::new(listening(protocol, family, range)?)));
            }
        }
    }
    let heard = |one: &Wanted| {
        let (protocol, host_address, port) = (one.protocol, one.host_address, one.port);
        let of_protocol = tables.iter().filter(move |(of, _)| *of == protocol);
        of_protocol.flat_map(move |(_, sockets)| sockets.hearing(host_address, port))
    };
    let mut passed_over = HashSet::new();
    for (one, socket) in wanted.iter().flat_map(|one| heard(one).map(move |socket| (one, socket))) {
        if passed_over.contains(&socket.inode) {
            continue;
        }
        let (pid, program) = process::holder(socket.inode).unzip();
        let (protocol, address) = (one.protocol, socket.address);
        let listener = Listener { protocol, address, pid, program: program.flatten() };
        match pid.filter(|_| may_listen(&listener)) {
            Some(pid) => passed_over.extend(process::sockets(pid)),
            None => return Ok(Some((*one, listener))),
        }
    }
    Ok(None)
}

fn listening(protocol: Protocol, family: Family, range: PortRange) -> Result<Vec<socket::Socket>, Error> {
    match diag::listening(protocol, family, range)? {
        Some(sockets) => Ok(sockets),
        None => tables::listening(protocol, family, range),
    }
}

/// From the lowest port to the highest.
fn span<'a>(wanted: impl Iterator<Item = &'a Wanted> + Clone) -> Option<PortRange> {
    let ports = wanted.map(|one| one.port);
    PortRange::new(ports.clone().min()?, ports.max()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_named_as_far_as_it_is_known() {
        let mut listener = Listener {
            protocol: Protocol::Tcp,
            address: "[::]:80".parse().unwrap(),
            pid: Some(812),
            program: Some("nginx".to_owned()),
        };
        assert_eq!(listener.to_string(), "nginx (process 812) on [::]:80/tcp");
        listener.program = None;
        assert_eq!(listener.to_string(), "process 812 on [::]:80/tcp");
        listener.pid = None;
        assert_eq!(listener.to_string(), "a process that cannot be seen from here on [::]:80/tcp");
    }
}
