//! The container's namespace, as `CNI_NETNS` names it.

use std::path::{Path, PathBuf};

use cni::{Code, Environment, Fault};
use netns::Netns;

/// The namespace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none at that path.
    #[error("CNI_NETNS")]
    Open(#[source] netns::Error),
    /// It is the one that the plugin runs in: the container's interface would be made on the host.
    #[error("CNI_NETNS: {} is the plugin's own network namespace", path.display())]
    Own {
        /// The path.
        path: PathBuf,
    },
    /// It is not the one that the plugin runs in.
    #[error("CNI_NETNS: {} is not the host's own network namespace", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
    },
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Open(_) => Code::INVALID_ENVIRONMENT,
            Self::Own { .. } | Self::Foreign { .. } => Code::INVALID_NETNS,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Open(_) => {
                "the runtime makes the namespace before ADD; `netctl netns list` shows those with a name"
            }
            Self::Own { .. } => {
                "give the container a namespace of its own, or set CNI_NETNS_OVERRIDE=1 if this is really meant"
            }
            Self::Foreign { .. } => "give CNI_NETNS=/proc/1/ns/net, or use the plugin none or bridge",
        };
        Some(hint.to_owned())
    }
}

/// Opens the container's namespace, which must not be the plugin's own unless `CNI_NETNS_OVERRIDE` says so.
///
/// # Errors
/// [`Error::Open`] or [`Error::Own`]; nothing has been touched then.
pub fn open(path: &Path, environment: &Environment) -> Result<Netns, Error> {
    let container = Netns::open(path).map_err(Error::Open)?;
    match is_own(&container)? && !environment.netns_override {
        true => Err(Error::Own { path: path.to_owned() }),
        false => Ok(container),
    }
}

/// Opens the container's namespace for a DEL: one that is gone, that nobody names, or that has become something else
/// is fine. What is left of the attachment is on the host then.
///
/// # Errors
/// As [`open`].
pub fn open_if_there(path: Option<&Path>, environment: &Environment) -> Result<Option<Netns>, Error> {
    let Some(path) = path else { return Ok(None) };
    match open(path, environment) {
        Err(Error::Open(error)) if error.is_gone() => Ok(None),
        Err(Error::Open(netns::Error::NotANamespace { .. } | netns::Error::OtherKind { .. })) => Ok(None),
        other => other.map(Some),
    }
}

/// Opens the host's own namespace, and no other.
///
/// # Errors
/// [`Error::Open`] or [`Error::Foreign`].
pub fn open_own(path: &Path) -> Result<Netns, Error> {
    let namespace = Netns::open(path).map_err(Error::Open)?;
    match is_own(&namespace)? {
        true => Ok(namespace),
        false => Err(Error::Foreign { path: path.to_owned() }),
    }
}

fn is_own(namespace: &Netns) -> Result<bool, Error> {
    Ok(namespace.same_as(&Netns::current().map_err(Error::Open)?))
}
