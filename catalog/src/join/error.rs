//! Why a container cannot join a network.

use std::io;
use std::net::IpAddr;

use cni::{Code, Fault};
use ipnetwork::IpNetwork;
use network::{CacheError, Errors};
use ports::ChooseError;
use vocab::{Attachment, ContainerId, InterfaceName, InvalidInterfaceName, NetworkName, PortMapping};

use crate::forget::ForgetError;
use crate::listed::listed;
use crate::member::Member;
use crate::unfinished::NoteError;

/// Why a container cannot join a network.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names the fields")]
pub enum JoinError {
    /// Its namespace is not known.
    #[error("container {container} has no network namespace any more")]
    NoNamespace { container: ContainerId },
    /// Its namespace is gone.
    #[error("open the network namespace of {container}")]
    Open { container: ContainerId, source: netns::Error },
    /// Its namespace cannot be entered.
    #[error("look into the container")]
    Enter(#[source] netns::Error),
    /// It is the host itself.
    #[error(
        "cannot connect {container}: it lives in the host's own network namespace, which has the host's addresses"
    )]
    OwnNamespace { container: ContainerId },
    /// Its interfaces cannot be listed.
    #[error("look for the container's interfaces")]
    Links(#[source] netlink::Error),
    /// No interface can have the name that follows.
    #[error("name the container's interface")]
    Interface(#[from] InvalidInterfaceName),
    /// It has an interface of that name.
    #[error("{container} has an interface {interface} already")]
    InterfaceTaken { container: ContainerId, interface: InterfaceName },
    /// Others cannot be kept away.
    #[error("lock the network namespace of {container}")]
    Lock { container: ContainerId, source: io::Error },
    /// It is there already.
    #[error("{} is connected to network {network} already: {member}", member.label())]
    Already { network: NetworkName, member: Box<Member> },
    /// What would be kept of it has the place of another.
    #[error(
        "attach {attachment} to network {network}: libcni joins the names of network, container and interface by hyphens, and keeps under the same name what there is of {} on network {}",
        other.attachment,
        other.network
    )]
    SameFile { network: NetworkName, attachment: Attachment, other: Box<Member> },
    /// The host's namespace is no place to go to.
    #[error("cannot connect {container} to network host: whoever is on it was made in the host's namespace")]
    Host { container: ContainerId },
    /// Whoever has nothing but `lo` is on no other network.
    #[error(
        "cannot connect {container} to network {network}: it is on network {other}, and whoever is on network {none} has nothing but lo"
    )]
    NotAlone { container: ContainerId, network: NetworkName, other: NetworkName, none: NetworkName },
    /// The address is none of the network.
    #[error("address {address} is in none of network {network}'s subnets{}", told(subnets))]
    Outside { address: IpAddr, network: NetworkName, subnets: Vec<IpNetwork> },
    /// The address is nobody's to have.
    #[error("address {address} of network {network} is {what}")]
    Unusable { address: IpAddr, network: NetworkName, what: &'static str },
    /// There is one way for one address only.
    #[error("network {network} takes one fixed address: no plugin of it has the capability ips")]
    TwoAddresses { network: NetworkName },
    /// A port is published twice.
    #[error("{one} and {other} are the same port of the host")]
    PortTwice { one: PortMapping, other: PortMapping },
    /// Nobody publishes ports.
    #[error(
        "network {network} ({driver}) publishes no ports: no plugin of it has the capability portMappings"
    )]
    NoPorts { network: NetworkName, driver: String },
    /// No port was chosen.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// What is kept of attachments cannot be read.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// It cannot be noted that it joins.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What is left of others, or of what it was itself, is in the way.
    #[error(transparent)]
    Forget(#[from] ForgetError),
    /// A plugin failed.
    #[error(transparent)]
    Plugins(#[from] Errors),
}

fn told(subnets: &[IpNetwork]) -> String {
    match subnets {
        [] => ": it has none".to_owned(),
        subnets => format!(" ({})", listed(subnets)),
    }
}

impl Fault for JoinError {
    fn code(&self) -> Code {
        match self {
            Self::NoNamespace { .. } | Self::Open { .. } => Code::INVALID_NETNS,
            Self::Cache(error) => error.code(),
            Self::Forget(error) => error.code(),
            Self::Note(_) => Code::IO,
            Self::Plugins(errors) => errors.code(),
            _ => Code::INVALID_ENVIRONMENT,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Already { network, member } => format!(
                "`netctl disconnect {network} {}` takes it away; --ifname NAME gives it a second interface there",
                member.label()
            ),
            Self::InterfaceTaken { .. } => {
                "without --ifname the first name of eth0, eth1, … is chosen that is free".to_owned()
            }
            Self::SameFile { .. } => "give its interface another name with --ifname".to_owned(),
            Self::NotAlone { container, other, .. } => {
                format!("`netctl disconnect {other} {container}` first")
            }
            Self::Unusable { .. } => "leave the address away, and a free one is chosen".to_owned(),
            Self::NoPorts { driver, .. } if driver == "bridge" => {
                "add {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}} to its conflist"
                    .to_owned()
            }
            Self::NoPorts { .. } => {
                "its containers are reached by their own addresses, on any port".to_owned()
            }
            Self::Choose(error) => return error.hint(),
            Self::Cache(error) => return error.hint(),
            Self::Forget(error) => return error.hint(),
            Self::Plugins(errors) => return errors.hint(),
            _ => return None,
        })
    }
}
