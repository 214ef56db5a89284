//! Why a container cannot be on its networks.

use catalog::{CatalogError, JoinError, LeaveError};
use cni::Fault;
use vocab::{InvalidName, NetworkName};

use crate::FileError;

/// Why a container cannot be on its networks.
#[derive(Debug, thiserror::Error)]
pub enum NetworksError {
    /// A network is not there.
    #[error(transparent)]
    Find(Box<CatalogError>),
    /// A network cannot be joined.
    #[error("join network {network}")]
    Join {
        /// Which.
        network: NetworkName,
        /// Why not.
        source: Box<JoinError>,
    },
    /// A network cannot be left.
    #[error("leave the container's networks")]
    Leave(#[source] Box<LeaveError>),
    /// None of its networks publishes ports.
    #[error("-p, -P: none of the networks {} publishes ports", networks.join(", "))]
    NoPorts {
        /// Its networks.
        networks: Vec<String>,
    },
    /// The container does not reach the host.
    #[error("--add-host NAME:host-gateway: the host has no address on {}", networks.join(", "))]
    NoHost {
        /// Its networks.
        networks: Vec<String>,
    },
    /// The host's addresses cannot be read.
    #[error("find the host's addresses on the container's networks")]
    Host(#[source] netlink::Error),
    /// A network is named twice.
    #[error("--network {0} is given twice")]
    Twice(NetworkName),
    /// The network is not one that containers join by name.
    #[error("--network {0} cannot be one of several: it is a mode of its own")]
    Mode(NetworkName),
    /// The namespace cannot be prepared.
    #[error("switch lo on in the container")]
    Loopback(#[source] Box<JoinError>),
    /// Its namespace cannot be opened.
    #[error("open the container's network namespace")]
    Open(#[source] netns::Error),
    /// A file of names cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The host's resolver cannot be read.
    #[error(transparent)]
    Resolver(#[from] dns::resolv_conf::ReadError),
    /// daemon.json cannot be read.
    #[error(transparent)]
    Daemon(Box<docker::Error>),
    /// Its id is none of CNI's.
    #[error(transparent)]
    Id(#[from] InvalidName),
}

impl NetworksError {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Find(error) => error.hint(),
            Self::Join { source, .. } | Self::Loopback(source) => source.hint(),
            Self::Leave(source) => source.hint(),
            Self::Daemon(error) => error.hint(),
            Self::NoPorts { .. } => {
                Some("a network publishes ports if its conflist has the plugin portmap with \"capabilities\": {\"portMappings\": true}".to_owned())
            }
            Self::NoHost { .. } => {
                Some("name an address of the host, or another network such as bridge besides".to_owned())
            }
            Self::Mode(_) => Some("say --network once".to_owned()),
            _ => None,
        }
    }
}

impl From<CatalogError> for NetworksError {
    fn from(error: CatalogError) -> Self {
        Self::Find(Box::new(error))
    }
}

impl From<docker::Error> for NetworksError {
    fn from(error: docker::Error) -> Self {
        Self::Daemon(Box::new(error))
    }
}
