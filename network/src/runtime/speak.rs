//! VERSION: who would be called, and which versions they speak.

use std::path::{Path, PathBuf};

use cni::{Delegate, DelegateError};

use super::{Reason, Runtime};
use crate::List;
use crate::list::Injected;

/// Where a plugin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this program.
    InProcess,
    /// In an executable.
    File(PathBuf),
}

/// A plugin of a list.
#[derive(Debug)]
pub struct Speaker {
    /// Its `type`.
    pub kind: String,
    /// Where it is, if anywhere.
    pub place: Option<Place>,
    /// The versions that it speaks, or why it does not say so.
    pub versions: Result<Vec<String>, Reason>,
}

impl Runtime {
    /// Asks every plugin of a list for the versions that it speaks, each followed by its IPAM plugin.
    #[must_use]
    pub fn versions(&self, list: &List) -> Vec<Speaker> {
        let mut speakers = Vec::new();
        for plugin in list.plugins() {
            match self.call(list, plugin, Injected::default(), None) {
                Ok(call) => {
                    speakers.push(speaker(plugin.kind(), call.delegate(plugin.kind())));
                    let ipam = call.config.ipam_type().ok().flatten();
                    speakers.extend(ipam.map(|kind| speaker(&kind, call.delegate(&kind))));
                }
                Err(error) => speakers.push(silent(plugin.kind(), error)),
            }
        }
        speakers
    }
}

fn speaker(kind: &str, delegate: Result<Delegate, DelegateError>) -> Speaker {
    match delegate {
        Err(error) => silent(kind, error),
        Ok(delegate) => {
            let place = delegate.file().map(Path::to_owned).map_or(Place::InProcess, Place::File);
            let versions = delegate.versions().map_err(Reason::from);
            Speaker { kind: kind.to_owned(), place: Some(place), versions }
        }
    }
}

fn silent(kind: &str, error: impl Into<Reason>) -> Speaker {
    Speaker { kind: kind.to_owned(), place: None, versions: Err(error.into()) }
}
