//! What can go wrong inside the container.

use std::net::Ipv6Addr;
use std::time::Duration;

use cni::{Code, Fault};
use netlink::Label;
use vocab::InterfaceName;

use crate::route::ImpossibleGateway;
use crate::{failure, sysctl};

/// The container's end could not be configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A route has a gateway that cannot be.
    #[error(transparent)]
    Gateway(#[from] ImpossibleGateway),
    /// An interface that stays down can have no addresses and no routes.
    #[error("give addresses to interface {name}: it is to stay down")]
    Down {
        /// The interface.
        name: InterfaceName,
    },
    /// Somebody else on the network has the address.
    #[error("use address {address} on {name}: another host has it")]
    Duplicate {
        /// The interface.
        name: InterfaceName,
        /// The address.
        address: Ipv6Addr,
    },
    /// The kernel did not finish with the address in time.
    #[error("use address {address} on {name}: it is still being tried after {limit:?}")]
    NotReady {
        /// The interface.
        name: InterfaceName,
        /// The address.
        address: Ipv6Addr,
        /// How long was waited.
        limit: Duration,
    },
    /// A setting could not be changed.
    #[error(transparent)]
    Sysctl(#[from] sysctl::Error),
    /// The kernel refused, or could not be asked.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
}

impl Error {
    pub(super) fn no_answer(name: &InterfaceName) -> Self {
        netlink::Error::Malformed { label: Label::new("find link", name), lacks: "a link" }.into()
    }
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Gateway(_) | Self::Down { .. } => Code::INVALID_CONFIG,
            Self::Duplicate { .. } => Code::INTERNAL,
            Self::NotReady { .. } => Code::TRY_AGAIN,
            Self::Sysctl(error) => error.code(),
            Self::Netlink(error) => failure::code_of(error),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Gateway(_) => Some("give the route a gateway of its destination's family".to_owned()),
            Self::Down { .. } => Some("leave out disableContainerInterface, or ipam".to_owned()),
            Self::Duplicate { address, .. } => Some(format!(
                "find out who has it: ip neighbour show {address}; or exclude it from the range"
            )),
            Self::NotReady { .. } => Some("is the bridge's port forwarding? bridge link show".to_owned()),
            Self::Sysctl(error) => error.hint(),
            Self::Netlink(error) => failure::hint_for(error),
        }
    }
}
