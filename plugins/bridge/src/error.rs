//! What can go wrong on the way, as the protocol's codes and as a way out.

use std::fmt::Display;

use cni::{Code, ConfigError, Fault, InvalidEnvironment};
use docker::InvalidWish;
use vocab::{InterfaceName, InvalidInterfaceName};

/// A configuration that cannot work. Nothing has been touched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFault {
    /// The document itself is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `CNI_ARGS` is wrong.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
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

impl From<InvalidWish> for ConfigFault {
    fn from(InvalidWish { key, value, reason, .. }: InvalidWish) -> Self {
        Self::value(key, value, reason.to_string())
    }
}

impl Fault for ConfigFault {
    fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Environment(error) => error.code(),
        }
    }
}

/// A step that could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepFault {
    /// A request to the kernel failed.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// The bridge could not be found or removed.
    #[error(transparent)]
    Bridge(#[from] link::bridge::Error),
    /// A link could not be removed.
    #[error(transparent)]
    Reaper(#[from] netlink::reaper::ReaperError),
    /// The container's namespace could not be entered.
    #[error(transparent)]
    Netns(#[from] netns::Error),
    /// Masquerade could not be changed.
    #[error(transparent)]
    Masquerade(#[from] firewall::masquerade::Error),
    /// Policy could not be changed.
    #[error(transparent)]
    Policy(#[from] firewall::policy::Error),
    /// The reference's masquerade chains could not be changed.
    #[error(transparent)]
    Iptables(#[from] firewall::iptables::Error),
    /// What the reference plugin left could not be removed.
    #[error(transparent)]
    Reference(#[from] firewall::reference::Error),
    /// A MAC check could not be changed.
    #[error(transparent)]
    SpoofCheck(#[from] firewall::spoof::Error),
    /// What belongs to nobody could not be removed from the firewall.
    #[error(transparent)]
    Collect(#[from] firewall::gc::Error),
    /// The bridge's lock could not be had.
    #[error(transparent)]
    Turn(#[from] link::turn::Error),
    /// The IPAM plugin leased nothing.
    #[error("lease an address from {kind:?}: it answered none")]
    NoAddress {
        /// The IPAM plugin.
        kind: String,
    },
    /// The network goes, and something is on its bridge.
    #[error("remove bridge {bridge}: {port} is on it")]
    BridgeInUse {
        /// The bridge.
        bridge: InterfaceName,
        /// What is on it.
        port: InterfaceName,
    },
    /// The name of the bridge's interface in a VLAN is too long.
    #[error("name the gateway of VLAN {vlan} on bridge {bridge}")]
    GatewayName {
        /// The bridge.
        bridge: InterfaceName,
        /// The VLAN.
        vlan: u16,
        /// Why it is no name.
        source: InvalidInterfaceName,
    },
}

impl Fault for StepFault {
    fn code(&self) -> Code {
        match self {
            Self::Netlink(error) => link::code_of(error),
            Self::Bridge(error) => error.code(),
            Self::Turn(error) => error.code(),
            Self::GatewayName { .. } => Code::INVALID_CONFIG,
            _ => Code::INTERNAL,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bridge(error) => error.hint(),
            Self::Masquerade(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::SpoofCheck(error) => error.hint(),
            Self::Iptables(error) => error.hint(),
            Self::Reference(error) => error.hint(),
            Self::Collect(error) => error.hint(),
            Self::Turn(error) => error.hint(),
            Self::BridgeInUse { port, .. } => Some(format!(
                "the alias in `ip link show {port}` tells whose a container's is, for DEL; `ip link set {port} nomaster` takes anything else off"
            )),
            Self::GatewayName { .. } => Some("choose a shorter name for the bridge".to_owned()),
            _ => None,
        }
    }
}

/// What CHECK found to be otherwise than ADD made it.
#[derive(Debug, thiserror::Error)]
#[error("check {what}: {found}")]
pub(crate) struct Difference {
    /// What was looked at.
    what: String,
    /// How it differs.
    found: String,
    /// The way out.
    hint: &'static str,
}

impl Difference {
    /// `what` is not as it should be: `found`.
    pub(crate) fn new(what: impl Display, found: impl Display) -> Self {
        Self {
            what: what.to_string(),
            found: found.to_string(),
            hint: "`netctl reload` puts back what somebody flushed; DEL and ADD make the attachment anew",
        }
    }
}

impl Fault for Difference {
    fn code(&self) -> Code {
        Code::PLUGIN
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint.to_owned())
    }
}
