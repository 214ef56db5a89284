//! Why networks are not found.

use std::io::ErrorKind;
use std::path::PathBuf;

use cni::{Code, Fault};
use network::{FileError, FolderError, ListError};
use vocab::NetworkName;

use super::file_name_of;
use crate::builtin::BuiltInError;
use crate::listed::listed;

/// Why networks are not found.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The host cannot be looked at.
    #[error("look at the host's links and routes")]
    Host(#[from] netlink::Error),
    /// There is no network of that name.
    #[error("network {name:?} not found")]
    NotFound {
        /// What was looked for.
        name: String,
        /// The network that was meant, perhaps.
        nearest: Option<NetworkName>,
        /// Files that could not be used: it may be in one of them.
        broken: Vec<FileError>,
    },
    /// Several ids begin so.
    #[error("{prefix:?} begins the ids of several networks: {}", listed(networks))]
    Ambiguous {
        /// The beginning of an id.
        prefix: String,
        /// The networks.
        networks: Vec<NetworkName>,
    },
    /// The network `bridge` cannot be described.
    #[error("describe network bridge")]
    BuiltIn(#[from] BuiltInError),
    /// daemon.json wants no network `bridge`.
    #[error("there is no network bridge: {} says \"bridge\": \"none\"", file.display())]
    NoBridge {
        /// The file.
        file: PathBuf,
    },
    /// A constant is wrong.
    #[error(transparent)]
    List(#[from] ListError),
}

impl CatalogError {
    /// Whether there is no such network for sure: it is in none of the files that could not be used either.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        let Self::NotFound { name, broken, .. } = self else { return false };
        let may_have_it = |error: &FileError| {
            is_unread(error) || error.file().file_name().is_some_and(|file| *file == *file_name_of(name))
        };
        !broken.iter().any(may_have_it)
    }
}

/// Whether nobody knows what is in a file that is there.
pub(super) fn is_unread(error: &FileError) -> bool {
    matches!(error, FileError::Read { source, .. } if source.kind() != ErrorKind::NotFound)
}

impl Fault for CatalogError {
    fn code(&self) -> Code {
        match self {
            Self::Folder(error) => error.code(),
            Self::Host(error) => link::code_of(error),
            Self::BuiltIn(error) => error.code(),
            Self::List(error) => error.code(),
            Self::NotFound { .. } | Self::Ambiguous { .. } | Self::NoBridge { .. } => Code::INVALID_CONFIG,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Folder(error) => error.hint(),
            Self::BuiltIn(error) => error.hint(),
            Self::NotFound { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::NotFound { broken, .. } if !broken.is_empty() => {
                let files = broken.iter().map(|error| error.file().display().to_string());
                Some(format!("these files cannot be used: {}", listed(files)))
            }
            Self::NotFound { .. } => Some("`netctl ls` shows which there are".to_owned()),
            Self::Ambiguous { .. } => Some("give more digits, or the name".to_owned()),
            Self::NoBridge { .. } => Some("leave that key away, or name another network".to_owned()),
            Self::Host(_) | Self::List(_) => None,
        }
    }
}
