//! Making a network: a file, then what the network has without any container.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use cni::{Cause, Code, Fault};
use jiff::Timestamp;
use network::{Errors, FileError, List, ListError, Runtime, Speaker};
use vocab::NetworkName;

use crate::builtin::pools;
use crate::catalog::{Catalog, CatalogError, Network, file_of};
use crate::design::{Design, DesignError, Known, Surroundings};
use crate::draft::{self, WriteError};
use crate::pool;
use crate::wish::{Driver, Wish};

/// Why no network was made. The host is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// It cannot be made as it is asked for.
    #[error("create network {name}")]
    Design {
        /// Its name.
        name: NetworkName,
        /// Why not.
        source: DesignError,
    },
    /// The networks that are there cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// daemon.json, which has the pools, cannot be used.
    #[error(transparent)]
    Daemon(#[from] docker::Error),
    /// Its driver's plugin is nowhere.
    #[error("create network {name}: driver {driver} is not installed")]
    NoDriver {
        /// The network.
        name: NetworkName,
        /// The driver.
        driver: Driver,
        /// What looking for it said.
        source: Cause,
    },
    /// A plugin does not say which versions it speaks.
    #[error("create network {name}: plugin {kind} cannot be used")]
    Plugin {
        /// The network.
        name: NetworkName,
        /// The plugin.
        kind: String,
        /// What asking it said.
        source: Cause,
    },
    /// Its file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Somebody removed it as soon as it had a file.
    #[error("create network {name}: it was removed in the same moment")]
    Removed {
        /// The network.
        name: NetworkName,
    },
    /// What it has without containers cannot be made.
    #[error("create network {name}")]
    Raise {
        /// The network.
        name: NetworkName,
        /// Everything that failed.
        source: Errors,
    },
}

impl Fault for CreateError {
    fn code(&self) -> Code {
        match self {
            Self::Design { source, .. } => source.code(),
            Self::Catalog(error) => error.code(),
            Self::Daemon(_) => Code::INVALID_CONFIG,
            Self::NoDriver { source, .. } | Self::Plugin { source, .. } => source.failure().code(),
            Self::Write(_) => Code::IO,
            Self::Removed { .. } => Code::TRY_AGAIN,
            Self::Raise { source, .. } => source.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Design { source, .. } => source.hint(),
            Self::Catalog(error) => error.hint(),
            Self::Daemon(error) => error.hint(),
            Self::NoDriver { source, .. } | Self::Plugin { source, .. } => source.failure().hint(),
            Self::Write(WriteError { file, source }) => {
                (source.kind() == ErrorKind::AlreadyExists).then(|| {
                    format!(
                        "no network of that name can be read from it: repair or remove {}",
                        file.display()
                    )
                })
            }
            Self::Raise { source, .. } => source.hint(),
            Self::Removed { .. } => None,
        }
    }
}

/// A network that was made.
#[derive(Debug)]
pub struct Created {
    /// The network.
    pub network: Network,
    /// How it was decided.
    pub design: Design,
    /// Files that cannot be used: what is in them was no part of it.
    pub broken: Vec<FileError>,
}

impl Catalog {
    /// Makes a network. One process at a time does, so that two do not choose the same subnet.
    ///
    /// # Errors
    /// [`CreateError`]; the host is then as it was.
    pub fn create(&self, wish: Wish, runtime: &Runtime, created: Timestamp) -> Result<Created, CreateError> {
        let _lock = self.lock()?;
        let (design, broken) = self.design(wish, created)?;
        let list = written(runtime, &design)?;
        let name = &design.name;
        let file = file_of(self.places().folder.path(), name);
        draft::write_whole(&file, &list)?;
        let made = self.find(name.as_str()).map_err(|error| match error {
            CatalogError::NotFound { .. } if error.is_absence() => {
                CreateError::Removed { name: name.clone() }
            }
            error => error.into(),
        });
        let raised = made.and_then(|network| {
            let raised = runtime.raise_if(&network.list, || self.places().folder.confirm(&network.list));
            raised.map(|_| network).map_err(|source| CreateError::Raise { name: name.clone(), source })
        });
        match raised {
            Ok(network) => Ok(Created { network, design, broken }),
            Err(error) => {
                // The error that is reported is the first one; a file that stays is told of by the next `ls`.
                let _ = fs::remove_file(&file);
                Err(error)
            }
        }
    }

    /// Removes what is left of a network that did not come to be, for its maker was killed.
    ///
    /// # Errors
    /// [`CreateError::Write`].
    pub fn discard(&self, name: &NetworkName) -> Result<(), CreateError> {
        let _lock = self.lock()?;
        Ok(draft::remove(&file_of(self.places().folder.path(), name))?)
    }

    fn design(&self, wish: Wish, created: Timestamp) -> Result<(Design, Vec<FileError>), CreateError> {
        let listing = self.list()?;
        let daemon = self.daemon()?;
        let pools = pools(&daemon, &pool::machine_id(), pool::standard);
        let known: Vec<Known> = listing.networks.iter().map(Network::known).collect();
        let facts = self.facts().map_err(CatalogError::from)?;
        let around = Surroundings { facts: &facts, known: &known, pools: &pools };
        let name = wish.name.clone();
        let design = Design::new(wish, around, created);
        let design = design.map_err(|source| CreateError::Design { name, source })?;
        Ok((design, listing.broken))
    }

    /// Keeps other makers of networks away until the file is closed.
    fn lock(&self) -> Result<File, CreateError> {
        // No network has a name that begins with a dot: the locks of networks are in the same folder.
        let folder = self.places().run_dir.join("networks");
        let file = folder.join(".create.lock");
        let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
        let opened = open().or_else(|_| {
            DirBuilder::new().recursive(true).mode(0o755).create(&folder)?;
            open()
        });
        let locked = opened.and_then(|opened| opened.lock().map(|()| opened));
        locked.map_err(|source| WriteError { file, source }.into())
    }
}

/// The conflist in the versions that its plugins speak, which must be in this program or in the folders of others.
fn written(runtime: &Runtime, design: &Design) -> Result<String, CreateError> {
    let list = |text: Result<String, serde_json::Error>| text.map_err(ListError::NotJson);
    let draft = list(design.conflist(|_| false)).and_then(|text| List::parse(text.into_bytes()));
    let mut spoken = Vec::new();
    for speaker in runtime.versions(&draft.map_err(CatalogError::from)?) {
        let Speaker { kind, place, versions } = speaker;
        spoken.push(versions.map_err(|reason| {
            let (name, driver) = (design.name.clone(), design.driver);
            let source = Cause::from(cni::Failure::from(reason));
            match place {
                None if kind == driver.as_str() => CreateError::NoDriver { name, driver, source },
                _ => CreateError::Plugin { name, kind, source },
            }
        })?);
    }
    let speak = |version: &str| spoken.iter().all(|spoken| spoken.iter().any(|known| known == version));
    Ok(list(design.conflist(speak)).map_err(CatalogError::from)?)
}

#[cfg(test)]
mod tests;
