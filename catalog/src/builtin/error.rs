//! Why there is no network `bridge`.

use std::path::PathBuf;

use cni::{Code, Fault};
use docker::InvalidWish;
use network::ListError;
use subnet::Family;
use vocab::InterfaceName;

use crate::taken::Taken;

/// Why there is no network `bridge`.
#[derive(Debug, thiserror::Error)]
pub enum BuiltInError {
    /// The file that describes it cannot be used.
    #[error(transparent)]
    File(#[from] docker::Error),
    /// Somebody uses its addresses.
    #[error("{key} {value} of {}: it overlaps {taken}", file.display())]
    Overlap {
        /// The key that names them.
        key: &'static str,
        /// Its value.
        value: String,
        /// The file.
        file: PathBuf,
        /// Who.
        taken: Box<Taken>,
    },
    /// The link that is to be its bridge is not there, or is none.
    #[error("bridge {link} of {}: {found}", file.display())]
    Link {
        /// The link.
        link: InterfaceName,
        /// The file.
        file: PathBuf,
        /// What there is.
        found: String,
    },
    /// Its keys do not fit the addresses of the bridge that it names.
    #[error("use {} with the addresses of bridge {link}", file.display())]
    Unfit {
        /// The file.
        file: PathBuf,
        /// The bridge.
        link: String,
        /// What is wrong.
        source: Box<InvalidWish>,
    },
    /// No pool has a subnet left.
    #[error(
        "no {family} subnet is free for network bridge: each of the address pools overlaps a network or a route of this host"
    )]
    PoolsEmpty {
        /// IPv4 or IPv6.
        family: Family,
    },
    /// The configuration that was made cannot be used.
    #[error(transparent)]
    List(#[from] ListError),
}

impl Fault for BuiltInError {
    fn code(&self) -> Code {
        Code::INVALID_CONFIG
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.hint(),
            Self::Overlap { key, .. } => format!("choose another {key}; without one a free subnet is chosen"),
            Self::Link { link, .. } => {
                format!("make it first: `ip link add {link} type bridge`; or leave the key bridge away")
            }
            Self::Unfit { link, source, .. } => {
                format!("`ip address show {link}` tells its addresses; change {} or leave it out", source.key)
            }
            Self::PoolsEmpty { .. } => "name one with bip or fixed-cidr in daemon.json".to_owned(),
            Self::List(error) => return error.hint(),
        })
    }
}
