//! What can go wrong on the way, as the protocol's codes and as a way out.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use cni::{Code, ConfigError, Fault, InvalidEnvironment, Version};
use ipam::{RangeError, StoreError};
use vocab::{Attachment, NetworkName};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostLocalError {
    /// The document is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `CNI_ARGS` is wrong.
    #[error(transparent)]
    Environment(#[from] InvalidEnvironment),
    /// A key has a value that it cannot have.
    #[error("invalid network configuration: {key}: {reason}")]
    Key { key: String, reason: String },
    /// The ranges cannot be leased from.
    #[error("invalid network configuration")]
    Ranges(#[source] RangeError),
    /// More addresses than the version of the configuration can say.
    #[error(
        "invalid network configuration: ipam.ranges: cniVersion {version} does not support more than 1 address per family"
    )]
    TooManySets { version: Version },
    /// The file that `resolvConf` names cannot be read.
    #[error("read resolvConf {path}")]
    ResolvConf { path: PathBuf, source: io::Error },
    /// No lease was made.
    #[error(transparent)]
    Lease(undo::Failed<StoreError>),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An attachment has no lease although it should.
    #[error("check leases of {owner} in network {network}: there is none")]
    NoLease { network: NetworkName, owner: Attachment },
    /// An attachment has not the lease that ADD answered.
    #[error("check leases of {owner} in network {network}: {address} is not leased to it")]
    NotLeased { network: NetworkName, owner: Attachment, address: IpAddr },
    /// An ADD would fail.
    #[error("serve network {network}")]
    NotAvailable { network: NetworkName, source: StoreError },
}

impl Fault for HostLocalError {
    fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Environment(error) => error.code(),
            Self::Key { .. } | Self::Ranges(_) | Self::TooManySets { .. } => Code::INVALID_CONFIG,
            Self::ResolvConf { .. } => Code::IO,
            Self::Lease(failed) => code(&failed.cause),
            Self::Store(error) => code(error),
            Self::NoLease { .. } | Self::NotLeased { .. } => Code::INTERNAL,
            Self::NotAvailable { .. } => Code::NOT_AVAILABLE,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Lease(failed) => hint(&failed.cause),
            Self::NotAvailable { source, .. } => hint(source),
            _ => None,
        }
    }
}

fn code(error: &StoreError) -> Code {
    match error {
        StoreError::Exhausted { .. } => Code::TRY_AGAIN,
        StoreError::Request(_) => Code::INVALID_CONFIG,
        StoreError::Occupied { .. } | StoreError::Held { .. } => Code::INTERNAL,
        _ => Code::IO,
    }
}

fn hint(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Exhausted { .. } => {
            Some("widen the range, or let GC remove the leases of containers that are gone".to_owned())
        }
        StoreError::Held { .. } => {
            Some("a DEL of the same container and interface must come first".to_owned())
        }
        _ => None,
    }
}
