//! What can go wrong on the way, as the protocol's codes and as a way out.

use std::fmt::Display;
use std::net::IpAddr;

use cni::{Code, ConfigError, Fault};
use firewall::iptables::publish::InvalidConditions;
use ports::Holder;
use vocab::{Attachment, PortMapping};

/// A configuration that cannot work. Nothing has been touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFault {
    /// Words for iptables are not what they should be.
    #[error("invalid network configuration: {key}")]
    Conditions {
        /// The key.
        key: &'static str,
        /// What is wrong with them.
        source: InvalidConditions,
    },
    /// A key needs another back end than the one that was asked for.
    #[error("unsupported network configuration: {key}: {value}: backend \"nftables\" cannot do that")]
    NeedsIptables {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The document itself is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl ConfigFault {
    /// The value of a key is not what was expected.
    pub(crate) fn value(key: impl Into<String>, value: impl Display, expected: impl Into<String>) -> Self {
        ConfigError::value(key, value, expected).into()
    }

    /// Keys exclude each other.
    pub(crate) fn conflict(keys: &'static str, reason: impl Into<String>) -> Self {
        ConfigError::conflict(keys, reason).into()
    }
}

impl Fault for ConfigFault {
    fn code(&self) -> Code {
        match self {
            Self::Conditions { .. } => Code::INVALID_CONFIG,
            Self::NeedsIptables { .. } => Code::UNSUPPORTED_FIELD,
            Self::Config(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NeedsIptables { key, .. } => Some(format!(
                "leave out backend, or set it to \"iptables\": {key} takes iptables' words; \
                 the nftables rules are the same for all networks, and their data are ports"
            )),
            _ => None,
        }
    }
}

/// A step that could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepFault {
    /// Ports could not be published, looked for or withdrawn.
    #[error(transparent)]
    Ports(#[from] firewall::ports::Error),
    /// A program of iptables is not there.
    #[error(transparent)]
    Tool(#[from] firewall::iptables::ToolError),
    /// The same with iptables.
    #[error(transparent)]
    Iptables(#[from] firewall::iptables::publish::Error),
    /// What the reference plugin left in nftables could not be removed.
    #[error(transparent)]
    Reference(#[from] firewall::reference::Error),
    /// What belongs to nobody could not be removed.
    #[error(transparent)]
    Collect(#[from] firewall::gc::Error),
    /// The kernel could not be made to forget connections.
    #[error(transparent)]
    Conntrack(#[from] firewall::conntrack::Error),
    /// It is not known who has a port.
    #[error(transparent)]
    Holder(#[from] ports::HolderError),
    /// Somebody else has a port.
    #[error("publish {mapping}: the host's port {}/{} is taken by {holder}", mapping.host_port, mapping.protocol)]
    Taken {
        /// What was to be published.
        mapping: PortMapping,
        /// Who has it.
        holder: Box<Holder>,
    },
    /// A request to the kernel failed.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// There is nothing to lead the ports to.
    #[error("publish ports of {attachment}: prevResult has no address of it")]
    NoAddress {
        /// Whose ports.
        attachment: Attachment,
    },
    /// The host does not know the way.
    #[error("publish ports of {attachment}: the host has no route to {address}")]
    NoWay {
        /// Whose ports.
        attachment: Attachment,
        /// The container's address.
        address: IpAddr,
    },
}

impl Fault for StepFault {
    fn code(&self) -> Code {
        use firewall::ports::Error::{Loopback6, Taken, Twice};
        match self {
            Self::Ports(Taken { .. }) | Self::Taken { .. } => Code::PLUGIN,
            Self::Ports(Twice { .. } | Loopback6 { .. }) | Self::NoAddress { .. } => Code::INVALID_CONFIG,
            Self::Netlink(error) => link::code_of(error),
            _ => Code::INTERNAL,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Ports(error) => error.hint(),
            Self::Iptables(error) => error.hint(),
            Self::Tool(error) => error.hint(),
            Self::Reference(error) => error.hint(),
            Self::Collect(error) => error.hint(),
            Self::Conntrack(error) => error.hint(),
            Self::Holder(error) => error.hint(),
            Self::Taken { holder, .. } => Some(holder.hint()),
            Self::NoAddress { .. } => Some(
                "ports lead to an IP address: give the plugin before this one an ipam, or leave portMappings out"
                    .to_owned(),
            ),
            Self::NoWay { address, .. } => {
                Some(format!("`ip route get {address}` on the host shows the same; is the plugin before this one a bridge?"))
            }
            Self::Netlink(_) => None,
        }
    }
}

/// What CHECK found to be otherwise than ADD made it.
#[derive(Debug, thiserror::Error)]
#[error("check the published ports of {attachment}: {found}")]
pub(crate) struct Difference {
    /// Whose.
    pub(crate) attachment: Attachment,
    /// How they differ.
    pub(crate) found: String,
}

impl Fault for Difference {
    fn code(&self) -> Code {
        Code::PLUGIN
    }

    fn hint(&self) -> Option<String> {
        Some(
            "`netctl reload` puts back what somebody flushed; DEL and ADD make the attachment anew"
                .to_owned(),
        )
    }
}
