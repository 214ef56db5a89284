//! What can go wrong on the way, as the protocol's codes.

use std::net::IpAddr;

use cni::{Code, ConfigError, Fault, InvalidEnvironment, Version};
use vocab::Attachment;

/// Why a verb failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// A list in `CNI_ARGS` has a piece that is not what was expected.
    #[error("invalid network configuration: {key}: {value:?}: expected {expected}")]
    Args { key: &'static str, value: String, expected: &'static str },
    /// More addresses than the version of the configuration can say.
    #[error(
        "invalid network configuration: ipam.addresses: cniVersion {version} does not support more than 1 address per family"
    )]
    TooMany { version: Version },
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StaticError {
    /// The document is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `CNI_ARGS` is wrong.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
    /// There is no `ipam` in it.
    #[error("invalid network configuration: ipam: missing")]
    MissingIpam,
    /// The addresses cannot be given.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An address came with another gateway than the configuration names.
    #[error("check address {address} of {owner}: its gateway is {}, expected {expected}", or_none(.found))]
    Gateway { owner: Attachment, address: IpAddr, found: Option<IpAddr>, expected: IpAddr },
}

fn or_none(gateway: &Option<IpAddr>) -> String {
    gateway.map_or_else(|| "none".to_owned(), |gateway| gateway.to_string())
}

impl Fault for StaticError {
    fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Environment(error) => error.code(),
            Self::MissingIpam | Self::Plan(_) => Code::INVALID_CONFIG,
            Self::Gateway { .. } => Code::INTERNAL,
        }
    }
}
