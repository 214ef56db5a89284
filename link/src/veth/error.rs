//! What can go wrong with a veth pair.

use cni::{Code, Fault};
use vocab::InterfaceName;

use crate::failure;

/// A pair could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The container has an interface of that name: it is attached already.
    #[error("create interface {name} in the container: it has one of that name")]
    ContainerInterfaceExists {
        /// The interface.
        name: InterfaceName,
    },
    /// Every name for the host's end belongs to somebody else.
    #[error("create veth: the names {} belong to others", join(tried))]
    NamesTaken {
        /// The names.
        tried: Vec<InterfaceName>,
    },
    /// The bridge has as many ports as it can have.
    #[error("attach {port} to its bridge: the bridge has 1023 ports, and can have no more")]
    BridgeFull {
        /// The host's end.
        port: InterfaceName,
    },
    /// The bridge was removed meanwhile.
    #[error("attach {port} to its bridge: the bridge is gone")]
    BridgeGone {
        /// The host's end.
        port: InterfaceName,
    },
    /// This kernel's bridges mind no VLANs.
    #[error("set the VLANs of {port}: the kernel is built without CONFIG_BRIDGE_VLAN_FILTERING")]
    NoVlanFiltering {
        /// The host's end.
        port: InterfaceName,
    },
    /// The kernel refused, or could not be asked.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::BridgeFull { .. } | Self::BridgeGone { .. } => Code::TRY_AGAIN,
            Self::Netlink(error) => failure::code_of(error),
            _ => Code::INTERNAL,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::ContainerInterfaceExists { .. } => "call DEL first, or choose another CNI_IFNAME",
            Self::NamesTaken { .. } => {
                "look for links that were left behind: ip -details link show type veth"
            }
            Self::BridgeFull { .. } => "use a second bridge, or the ptp plugin, for further containers",
            Self::BridgeGone { .. } => "repeat the ADD: it makes the bridge again",
            Self::NoVlanFiltering { .. } => "leave out vlan and vlanTrunk, or use another kernel",
            Self::Netlink(error) => return failure::hint_for(error),
        };
        Some(hint.to_owned())
    }
}

fn join(names: &[InterfaceName]) -> String {
    names.iter().map(InterfaceName::as_str).collect::<Vec<_>>().join(", ")
}
