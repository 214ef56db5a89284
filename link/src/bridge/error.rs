//! What can go wrong with a bridge.

use std::path::Path;

use cni::{Code, Fault};
use ipnetwork::IpNetwork;
use vocab::InterfaceName;

use crate::{failure, sysctl};

/// A bridge could not be found, made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name belongs to a link that is none.
    #[error("use {name} as a bridge: it is {}", kind.as_deref().unwrap_or("another kind of link"))]
    NotABridge {
        /// The name.
        name: InterfaceName,
        /// The kind of link it is.
        kind: Option<String>,
    },
    /// This kernel's bridges mind no VLANs.
    #[error("filter VLANs on bridge {name}: the kernel is built without CONFIG_BRIDGE_VLAN_FILTERING")]
    NoVlanFiltering {
        /// The bridge.
        name: InterfaceName,
    },
    /// The bridge has another address where the wanted one should be.
    #[error("give bridge {name} the address {wanted}: it already has {present}")]
    AddressInTheWay {
        /// The bridge.
        name: InterfaceName,
        /// The address it should have.
        wanted: IpNetwork,
        /// The address it has.
        present: IpNetwork,
    },
    /// Each time it was made or found, it was gone in the next moment.
    #[error("create bridge {name}: it came and went {attempts} times")]
    Unsteady {
        /// The bridge.
        name: InterfaceName,
        /// How often it was tried.
        attempts: u32,
    },
    /// `/proc` does not tell which host this is, on which the bridge's MAC address depends.
    #[error("read {}", path.display())]
    Host {
        /// The file.
        path: &'static Path,
        /// Why not.
        source: std::io::Error,
    },
    /// A setting of the bridge could not be changed.
    #[error(transparent)]
    Sysctl(#[from] sysctl::Error),
    /// It could not be removed.
    #[error(transparent)]
    Reaper(#[from] netlink::reaper::ReaperError),
    /// The kernel refused, or could not be asked.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotABridge { .. } | Self::NoVlanFiltering { .. } | Self::AddressInTheWay { .. } => {
                Code::INTERNAL
            }
            Self::Unsteady { .. } => Code::TRY_AGAIN,
            Self::Host { .. } => Code::IO,
            Self::Sysctl(error) => error.code(),
            Self::Reaper(_) => Code::INTERNAL,
            Self::Netlink(error) => failure::code_of(error),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotABridge { name, .. } => Some(format!("choose another name than {name} for the bridge")),
            Self::NoVlanFiltering { .. } => {
                Some("leave out vlan and vlanTrunk, or use another kernel".to_owned())
            }
            Self::AddressInTheWay { name, present, .. } => Some(format!(
                "set forceAddress to replace it, or remove it: ip address delete {present} dev {name}"
            )),
            Self::Unsteady { .. } | Self::Host { .. } | Self::Reaper(_) => None,
            Self::Sysctl(error) => error.hint(),
            Self::Netlink(error) => failure::hint_for(error),
        }
    }
}
