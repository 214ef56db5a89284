//! Removing a network, when nobody is on it, or with everybody who is.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use network::{Entry, Errors, Runtime};
use vocab::NetworkName;

use crate::catalog::{Catalog, Network, Origin};
use crate::draft::{self, WriteError};
use crate::listed::listed;
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
    #[error("network {network} is in use by {}", listed(members))]
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
        let file = match &network.origin {
            Origin::File(file) => Some(file),
            Origin::Kept => None,
            Origin::BuiltIn => return Err(RetireError::BuiltIn { network: network.name().clone() }),
        };
        let is_allowed = |entries: &[Entry]| {
            if members == Members::Refuse {
                refuse_if_used(network, entries.iter().map(Member::of))?;
            }
            Ok(self.unfinished_of(network)?)
        };
        // A `create` that was killed may have left a draft, and a join a note. The network itself goes last.
        let finish = || {
            if let Some(file) = file {
                draft::remove(file)?;
            }
            self.end_unfinished(network.name())?;
            file.map_or(Ok(()), |file| remove(file))
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

/// Removes a network's file.
fn remove(file: &Path) -> Result<(), RetireError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| RetireError::File { file: file.to_owned(), source }),
    }
}

/// Fails when somebody is on a network. Whoever is gone without DEL is in nobody's way.
fn refuse_if_used(network: &Network, members: impl Iterator<Item = Member>) -> Result<(), RetireError> {
    let standing: Vec<Member> = members.filter(|member| member.is_standing).collect();
    match standing.is_empty() {
        true => Ok(()),
        false => Err(RetireError::InUse { network: network.name().clone(), members: standing }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::{Scratch, bare_runtime, catalog, entry, network_of};

    fn member(container: &str, is_standing: bool) -> Member {
        let result = json!({"ips": [{"address": "10.1.0.7/24"}]});
        Member { is_standing, ..Member::of(&entry("web", container, &result)) }
    }

    fn web() -> Network {
        network_of("web", json!({"type": "bridge"}), &[])
    }

    #[test]
    fn a_network_in_use_is_told_with_its_users_and_the_way_out() {
        let members = [member("blue", true), member("gone", false), member("red", true)];
        let error = refuse_if_used(&web(), members.into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "network web is in use by blue (eth0, 10.1.0.7), red (eth0, 10.1.0.7)");
        let hint = "`netctl disconnect web blue`, or `netctl rm -f web` for all of them";
        assert_eq!((error.hint().as_deref(), error.code()), (Some(hint), Code::INVALID_ENVIRONMENT));
    }

    #[test]
    fn who_is_gone_is_in_nobody_s_way() {
        assert!(refuse_if_used(&web(), [member("gone", false)].into_iter()).is_ok());
        assert!(refuse_if_used(&web(), std::iter::empty()).is_ok());
    }

    #[test]
    fn the_networks_that_every_host_has_stay() {
        let scratch = Scratch::new();
        let none = Network::new(crate::builtin::none().unwrap(), Origin::BuiltIn);
        let retired = catalog(&scratch).retire(&bare_runtime(&scratch), &none, Members::Disconnect);
        assert_eq!(retired.unwrap_err().to_string(), "network none is predefined and cannot be removed");
    }

    #[test]
    fn the_file_goes_last_and_may_be_gone_already() {
        let scratch = Scratch::new();
        let file = scratch.write("net.d/web.conflist", "{}");
        let network = Network { origin: Origin::File(file.clone()), ..web() };
        for _ in 0..2 {
            catalog(&scratch).retire(&bare_runtime(&scratch), &network, Members::Refuse).unwrap();
            assert!(!file.exists());
        }
        // A folder is no file, and stays.
        fs::create_dir(&file).unwrap();
        let error = catalog(&scratch).retire(&bare_runtime(&scratch), &network, Members::Refuse).unwrap_err();
        assert_eq!(error.to_string(), format!("remove {}", file.display()));
        assert_eq!(error.code(), Code::IO);
    }
}
