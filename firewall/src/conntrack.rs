//! What the kernel remembers of connections to published ports, and how it is made to forget.
//!
//! A UDP "connection" outlives the server behind it: as long as the client goes on sending, its datagrams are led
//! where the first one was, to a container that is gone or to the host itself. The map of published ports is asked only
//! for the first datagram. So whoever publishes a UDP or SCTP port calls [`forget_others`] afterwards, and whoever takes
//! it away calls [`forget`]; the client's next datagram then counts as the first.
//!
//! Connections that merely pass through (a container asks 8.8.8.8:53 while port 53 is published) are none of ours: the
//! destination must be the host's own, which is decided as nftables does (`fib daddr type local`), by its routes.
//!
//! To list connections takes the kernel 10 ms and more, for it locks each of its 262,144 slots, used or not; to delete
//! those of a description takes it 0.3 ms. So [`forget`], which is part of every DEL, describes what is to go (IPv4 since
//! Linux 6.11), while [`forget_others`], whose connections have nothing in common but what they do not lead to, lists
//! them, once. Neither costs anything where nothing is remembered.

mod connection;
mod filter;
mod local;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

use vocab::{HostAddress, Port, Protocol};

use crate::channel::conntrack::is_absent;
use crate::channel::{self, Channel};
use connection::Connection;
use filter::Filter;
use local::LocalAddresses;

/// A published port and where it leads, for which the kernel shall forget what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Of which protocol the port is.
    pub protocol: Protocol,
    /// At which of the host's addresses it is published.
    pub host_address: HostAddress,
    /// The host's port.
    pub host_port: Port,
    /// The container's address and port. A flow that has one is about connections of that address's family only.
    pub target: Option<SocketAddr>,
}

/// Why the kernel still remembers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connections cannot be listed.
    #[error("look for connections to published ports")]
    List {
        /// What the kernel says.
        source: channel::Error,
    },
    /// It is not known whether an address is the host's.
    #[error("find out whether {address} is an address of this host")]
    Local {
        /// Which address.
        address: IpAddr,
        /// What the kernel says.
        source: io::Error,
    },
    /// A connection cannot be deleted.
    #[error("forget connections to published ports")]
    Delete {
        /// What the kernel says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::List { source } | Self::Delete { source } => source.hint(),
            Self::Local { .. } => None,
        }
    }
}

/// Which connections of a flow are to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doomed {
    /// Those that lead elsewhere.
    Others,
    /// Those that lead to the target.
    Own,
}

/// Forgets connections to published ports that do not lead to the target of a flow already: what a port was before it
/// was published. A flow without target has no connection that is right. Returns how many there were.
///
/// # Errors
/// [`Error`]; other connections may have been forgotten all the same. A kernel that tracks no connections has nothing
/// to forget, and neither has one that does not let them be listed (`CONFIG_NF_CT_NETLINK`).
pub fn forget_others(flows: &[Flow]) -> Result<usize, Error> {
    let Some((mut channel, remembered)) = open(flows)? else { return Ok(0) };
    forget_listed(&mut channel, flows, Doomed::Others, remembered)
}

/// Forgets connections that lead to the target of a flow by its port of the host, or, of a flow without target, all
/// connections to that port. How many there were is not known: the kernel may do it alone.
///
/// # Errors
/// As with [`forget_others`].
pub fn forget(flows: &[Flow]) -> Result<(), Error> {
    let Some((mut channel, remembered)) = open(flows)? else { return Ok(()) };
    // Whatever cannot be described, and all of it where the kernel does not understand descriptions, is listed.
    let (described, mut listed): (Vec<_>, Vec<_>) = match flows.len() {
        0..=FEW => flows.iter().partition(|flow| filter::of_flow(flow).is_some()),
        _ => (Vec::new(), flows.to_vec()),
    };
    match channel.delete_connections(described.iter().filter_map(filter::of_flow).collect()) {
        Err(error) if is_absent(&error) => listed.extend(described),
        done => drop(done.map_err(|source| Error::Delete { source })?),
    }
    forget_listed(&mut channel, &listed, Doomed::Own, remembered).map(drop)
}

/// How many descriptions the kernel takes as long for as for one list.
const FEW: usize = 16;

/// A socket, and how many connections are remembered; nothing, if there are none or nobody asks.
fn open(flows: &[Flow]) -> Result<Option<(Channel, usize)>, Error> {
    if flows.is_empty() {
        return Ok(None);
    }
    let counted = Channel::open().and_then(|mut channel| {
        let remembered = channel.count_connections()?;
        Ok(Some((channel, remembered)).filter(|_| remembered > 0))
    });
    match counted {
        Err(error) if is_absent(&error) => Ok(None),
        counted => counted.map_err(|source| Error::List { source }),
    }
}

fn forget_listed(
    channel: &mut Channel,
    flows: &[Flow],
    doomed: Doomed,
    remembered: usize,
) -> Result<usize, Error> {
    let index = Index::new(flows);
    let mut candidates = Vec::new();
    for filter in Filter::plan(flows, remembered) {
        candidates.extend(find(channel, filter, &index).map_err(|source| Error::List { source })?);
    }
    let mut local = LocalAddresses::default();
    let mut names = Vec::new();
    for candidate in candidates {
        if index.dooms(&candidate, doomed, &mut local)? {
            names.push(candidate.into_name());
        }
    }
    channel.delete_connections(names).map_err(|source| Error::Delete { source })
}

/// The connections that flows may be about.
fn find(channel: &mut Channel, filter: Filter, index: &Index<'_>) -> Result<Vec<Connection>, channel::Error> {
    let mut found = Vec::new();
    let mut collect = |attributes: &[u8]| {
        // The kernel may have sent more than it was asked for: before Linux 5.8 it does not know the filter.
        found.extend(
            Connection::read(attributes).filter(|connection| index.flows(connection).next().is_some()),
        );
    };
    match channel.connections(filter.family, filter.attributes(), &mut collect) {
        Err(error) if is_absent(&error) => {}
        done => return done.map(|()| found),
    }
    // It has answered before, so it is the filter that it does not understand.
    channel.connections(filter.family, Vec::new(), &mut collect)?;
    Ok(found)
}

/// Flows by what is quick to look for.
struct Index<'a>(HashMap<(u8, u16), Vec<&'a Flow>>);

impl<'a> Index<'a> {
    fn new(flows: &'a [Flow]) -> Self {
        let mut index: HashMap<_, Vec<_>> = HashMap::new();
        for flow in flows {
            index.entry((flow.protocol.number(), flow.host_port.get())).or_default().push(flow);
        }
        Self(index)
    }

    /// The flows that a connection may belong to, unless its destination is another host's.
    fn flows(&self, connection: &Connection) -> impl Iterator<Item = &'a Flow> {
        let destination = connection.destination;
        let same_port = self.0.get(&(connection.protocol, destination.port()));
        same_port.into_iter().flatten().copied().filter(move |flow| flow.covers(destination.ip()))
    }

    /// Whether a connection is to be forgotten on account of any of its flows, and right on account of none.
    fn dooms(
        &self,
        connection: &Connection,
        doomed: Doomed,
        local: &mut LocalAddresses,
    ) -> Result<bool, Error> {
        let leads_there = |flow: &Flow| flow.target.is_some_and(|target| connection.leads_to(target));
        if self.flows(connection).any(leads_there) {
            // Somebody who asks the container itself has not come by the port, even if it is the same.
            return Ok(doomed == Doomed::Own && connection.is_redirected());
        }
        let mut flows = self.flows(connection);
        let wants = match doomed {
            Doomed::Others => flows.next().is_some(),
            Doomed::Own => flows.any(|flow| flow.target.is_none()),
        };
        Ok(wants && self.is_ours(connection, local)?)
    }

    fn is_ours(&self, connection: &Connection, local: &mut LocalAddresses) -> Result<bool, Error> {
        let destination = connection.destination.ip();
        let by_name = self.flows(connection).any(|flow| flow.host_address.one().is_some());
        Ok(by_name || local.contains(destination)?)
    }
}

impl Flow {
    /// Whether connections of that family may be its own: nothing is translated from one into the other.
    fn concerns(&self, is_v4: bool) -> bool {
        let of_host = if is_v4 { self.host_address.has_v4() } else { self.host_address.has_v6() };
        of_host && self.target.is_none_or(|target| target.is_ipv4() == is_v4)
    }

    /// Whether connections to that address, if it is the host's, are its own.
    fn covers(&self, destination: IpAddr) -> bool {
        self.concerns(destination.is_ipv4()) && self.host_address.one().is_none_or(|one| one == destination)
    }
}

#[cfg(test)]
mod tests;
