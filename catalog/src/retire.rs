//! Removing a network, when nobody is on it, or with everybody who is.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use cni::{Code, Fault};
use network::{Entry, Errors, Runtime};
use vocab::NetworkName;

use crate::catalog::{Catalog, Network, Origin};
use crate::draft::{self, WriteError};
use crate::member::Member;
use crate::unfinished::NoteError;

/// Whether a network may be removed that containers are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// No.
    Refuse,
    /// Yes: they are disconnected first.
    Disconnect,
}

/// Why a network is not removed.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// It is there on every host.
    #[error("network {network} is predefined and cannot be removed")]
    BuiltIn {
        /// The network.
        network: NetworkName,
    },
    /// Containers are on it.
    #[error("network {network} is in use by {}", told(members))]
    InUse {
        /// The network.
        network: NetworkName,
        /// Who.
        members: Vec<Member>,
    },
    /// Its file cannot be removed.
    #[error("remove {}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// What its maker left beside it cannot be removed.
    #[error(transparent)]
    Draft(#[from] WriteError),
    /// A note of a join that was killed cannot be removed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A plugin failed. What was not taken away is taken away by the next attempt.
    #[error(transparent)]
    Plugins(#[from] Errors),
}

fn told(members: &[Member]) -> String {
    members.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Fault for RetireError {
    fn code(&self) -> Code {
        match self {
            Self::BuiltIn { .. } | Self::InUse { .. } => Code::INVALID_ENVIRONMENT,
            Self::File { .. } | Self::Draft(_) | Self::Note(_) => Code::IO,
            Self::Plugins(errors) => errors.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::InUse { network, members } => {
                let first = members.first().map_or("TARGET", Member::label);
                Some(format!(
                    "`netctl disconnect {network} {first}`, or `netctl rm -f {network}` for all of them"
                ))
            }
            Self::Plugins(errors) => errors.hint(),
            Self::BuiltIn { .. } | Self::File { .. } | Self::Draft(_) | Self::Note(_) => None,
        }
    }
}

impl Catalog {
    /// Removes a network: what is left of its containers, its leases, its rules, its link, and last its file, so that
    /// what fails half way has a name to be repeated by.
    ///
    /// # Errors
    /// [`RetireError`].
    pub fn retire(&self, runtime: &Runtime, network: &Network, members: Members) -> Result<(), RetireError> {
        let Origin::File(file) = &network.origin else {
            return Err(RetireError::BuiltIn { network: network.name().clone() });
        };
        let is_allowed = |entries: &[Entry]| {
            let standing = entries.iter().map(Member::of).filter(|member| member.is_standing);
            let standing: Vec<Member> = standing.filter(|_| members == Members::Refuse).collect();
            match standing.is_empty() {
                true => Ok(self.unfinished_of(network)?),
                false => Err(RetireError::InUse { network: network.name().clone(), members: standing }),
            }
        };
        // A `create` that was killed may have left both. The network itself goes last.
        let remove = || match fs::remove_file(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| RetireError::File { file: file.clone(), source }),
        };
        let finish = || {
            draft::remove(file)?;
            self.end_unfinished(network.name())?;
            remove()
        };
        runtime.retire(&network.list, is_allowed, finish)
    }

    /// What was begun by joins that were killed has gone with the network, but for the notes.
    fn end_unfinished(&self, network: &NetworkName) -> Result<(), NoteError> {
        let unfinished = self.unfinished();
        let begun = unfinished.all()?.into_iter().filter(|begun| begun.network == *network);
        { begun }.try_for_each(|begun| unfinished.end(&begun))
    }
}
