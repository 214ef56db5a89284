//! Why a list cannot be used.

use cni::{Code, Fault, Mismatch, UnknownVersion};
use vocab::InvalidName;

/// A network configuration list that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It is no JSON.
    #[error("decode network configuration list")]
    NotJson(#[source] serde_json::Error),
    /// A field does not hold what was expected.
    #[error("decode network configuration list")]
    Field(#[source] Mismatch),
    /// It has no name.
    #[error("invalid network configuration list: name: missing network name")]
    MissingName,
    /// Its name is none.
    #[error("invalid network configuration list: name")]
    Name(#[source] InvalidName),
    /// Its version is not known.
    #[error("invalid network configuration list")]
    Version(#[source] UnknownVersion),
    /// None of its versions is known.
    #[error("invalid network configuration list: cniVersions: none of {listed} is known")]
    NoCommonVersion {
        /// The versions.
        listed: String,
    },
    /// Its list of plugins is there and empty.
    #[error("invalid network configuration list: plugins: expected at least one plugin, found none")]
    Empty,
    /// It wants no folder of plugins and lists none.
    #[error("invalid network configuration list: plugins: missing, although loadOnlyInlinedPlugins is set")]
    NothingInlined,
    /// Neither it nor its folder has a plugin.
    #[error("invalid network configuration list: plugins: none in the list, none in its folder")]
    NoPlugins,
}

impl ListError {
    /// The same error, seen from the object that holds the field as `key`.
    pub(super) fn under(self, key: &str) -> Self {
        match self {
            Self::Field(mismatch) => Self::Field(mismatch.under(key)),
            other => other,
        }
    }
}

impl Fault for ListError {
    fn code(&self) -> Code {
        match self {
            Self::NotJson(_) | Self::Field(_) => Code::DECODING,
            Self::Version(_) | Self::NoCommonVersion { .. } => Code::INCOMPATIBLE_VERSION,
            Self::MissingName | Self::Name(_) | Self::Empty | Self::NothingInlined | Self::NoPlugins => {
                Code::INVALID_CONFIG
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPlugins => Some(
                "write the plugins into the list, or as *.conf files into the folder beside it that bears the network's name"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
