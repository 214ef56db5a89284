//! The network that a verb is for.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use network::{FolderError, List};

use super::trouble::Trouble;
use crate::network::place::Place;

/// Whether a network of that name is there without a file.
pub(super) fn is_built_in(name: &str) -> bool {
    [catalog::BRIDGE, catalog::HOST, catalog::NONE].contains(&name)
}

/// The network that a verb is for.
#[derive(Debug, Args)]
pub(super) struct NetworkArg {
    /// The name of the network, or the path of its file
    #[arg(value_name = "NETWORK")]
    network: OsString,
}

impl NetworkArg {
    /// The network: a path has a slash, and no name has.
    pub(super) fn find(&self, place: &Place) -> Result<List, Trouble> {
        match self.as_path() {
            Some(file) => Ok(List::from_file(file)?),
            None => match self.find_by_name(place) {
                Err(FolderError::NotFound { name, .. }) if is_built_in(&name) => {
                    Ok(place.catalog().find(&name)?.list)
                }
                found => Ok(found?),
            },
        }
    }

    pub(super) fn find_by_name(&self, place: &Place) -> Result<List, FolderError> {
        place.roots.folder().find(&self.name())
    }

    /// The network as a path, if it is one.
    pub(super) fn as_path(&self) -> Option<&Path> {
        self.network.as_encoded_bytes().contains(&b'/').then(|| Path::new(&self.network))
    }

    /// The network as a name. What is not UTF-8 gets a replacement character, which no name has.
    pub(super) fn name(&self) -> String {
        self.network.to_string_lossy().into_owned()
    }
}
