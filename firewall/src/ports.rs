//! Published ports: ports of the host that lead to a container's.
//!
//! A port is one element of a map: `protocol . port : address . port`, or with one of the host's addresses before it. The
//! map is the arbiter: two who want the same port at once ask for elements with the same key, and the kernel gives it to
//! one of them. What else belongs to an attachment (who has to be masqueraded to reach it, and a note of which ports it
//! has) comes and goes with the ports in one transaction. So an attachment's ports cost the same whatever others have.
//!
//! `PortMapping`s without a family in common with the container (an IPv6 address of the host, a container without one)
//! are passed over, as by the reference's `portmap`.

mod claim;
mod collect;
mod conflict;
mod find;
mod found;
mod listing;
mod note;
mod plan;
mod publish;
mod unpublish;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use vocab::{Attachment, HostAddress, InterfaceName, NetworkName, Port, PortMapping, Protocol};

use crate::channel;
use crate::owner::Owner;

pub(crate) use collect::retain;

/// The ports that an attachment publishes.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// On which network; the owner of the elements is the attachment on it.
    pub network: &'a NetworkName,
    /// Whose ports.
    pub attachment: &'a Attachment,
    /// The host's interface behind which the container is.
    pub interface: &'a InterfaceName,
    /// The container's IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// The container's IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// The ports.
    pub mappings: &'a [PortMapping],
    /// Whose address the container does not see.
    pub masquerade: MasqueradeClients,
}

/// Which clients of a published port the container sees under the host's address instead of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MasqueradeClients {
    /// None. Who cannot be answered otherwise (the container itself, its neighbours, 127.0.0.1) is not served.
    Never,
    /// Those who could not be answered otherwise.
    #[default]
    WhereNeeded,
    /// All of them.
    Always,
}

/// A port of the host that leads to a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// At which of the host's addresses: all of a family, or one.
    pub host_address: HostAddress,
    /// The host's port.
    pub host_port: Port,
    /// Of which protocol.
    pub protocol: Protocol,
    /// Where it leads.
    pub target: SocketAddr,
    /// Whose it is.
    pub owner: Owner,
}

/// Why ports are not published as they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another container has the port.
    #[error("publish {mapping}: the host's port {}/{} is taken by {owner}", mapping.host_port, mapping.protocol)]
    Taken {
        /// What was to be published.
        mapping: PortMapping,
        /// Who has it.
        owner: Owner,
    },
    /// One attachment wants a port to lead to two places.
    #[error("publish {second}: {first} leads the same port of the host elsewhere")]
    Twice {
        /// What comes first.
        first: PortMapping,
        /// What contradicts it.
        second: PortMapping,
    },
    /// The kernel does not lead what the host sends to `::1` anywhere else.
    #[error("publish {mapping}: ports cannot be published at ::1")]
    Loopback6 {
        /// What was to be published.
        mapping: PortMapping,
    },
    /// They could not be published.
    #[error("publish {} of {owner}", ports(*count))]
    Publish {
        /// Whose.
        owner: Owner,
        /// How many.
        count: usize,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// They could not be looked at.
    #[error("look for the published ports of {owner}")]
    Find {
        /// Whose.
        owner: Owner,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// They could not be listed.
    #[error("list the published ports")]
    List {
        /// What nf_tables says.
        source: channel::Error,
    },
    /// They could not be withdrawn.
    #[error("withdraw the published ports of {attachment}")]
    Unpublish {
        /// Whose.
        attachment: Attachment,
        /// What nf_tables says.
        source: channel::Error,
    },
}

fn ports(count: usize) -> String {
    if count == 1 { "1 port".to_owned() } else { format!("{count} ports") }
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { mapping, owner } => Some(format!(
                "publish another port than {}, or end {owner} (network/container/interface): DEL, or GC if it is gone",
                mapping.host_port
            )),
            Self::Twice { .. } => Some("leave one of the two out".to_owned()),
            Self::Loopback6 { .. } => Some(
                "publish at 127.0.0.1: programs that try ::1 for localhost are refused there at once and go on with it"
                    .to_owned(),
            ),
            Self::Publish { source, .. }
            | Self::Find { source, .. }
            | Self::List { source }
            | Self::Unpublish { source, .. } => source.hint(),
        }
    }
}

/// The address of a container in the family of a host's address.
fn all_of(target: IpAddr) -> HostAddress {
    if target.is_ipv4() { HostAddress::AnyV4 } else { HostAddress::AnyV6 }
}
