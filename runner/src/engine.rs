//! Everything that containers need of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use catalog::Catalog;
use network::Runtime;

use crate::files::{self, FileError};
use crate::networks::Names;
use crate::{Config, Source, Store};

/// Everything that containers need of this machine: where they are, images, networks and plugins.
pub struct Engine {
    /// The containers.
    pub store: Store,
    /// Networks by name.
    pub catalog: Catalog,
    /// What runs the plugins of networks.
    pub runtime: Runtime,
    /// Where the host says of itself what containers are told.
    pub names: Names,
}

impl Engine {
    /// What is below everything that a container writes, topmost first.
    ///
    /// # Errors
    /// [`LowerError`].
    pub(crate) fn lower(&self, config: &Config) -> Result<Vec<PathBuf>, LowerError> {
        match &config.source {
            // Who has a folder has it as it is: overlayfs refuses one layer within another, as all are within `/`.
            Source::Folder(folder) => Ok(vec![folder.clone()]),
            Source::Image(used) => {
                let images = images::Store::open(&self.store.places().state_dir)?;
                let image = images.find(&used.id)?;
                let mut lower = images.lower_dirs(&image);
                lower.push(self.mount_points()?);
                Ok(lower)
            }
        }
    }

    /// The layer of what is mounted over, so that no container has to make it; made with the first.
    fn mount_points(&self) -> Result<PathBuf, FileError> {
        const FOLDERS: [&str; 5] = ["dev", "etc", "proc", "sys", "tmp"];
        const FILES: [&str; 3] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];
        let path = self.store.places().mount_points();
        if path.is_dir() {
            return Ok(path);
        }
        let unfinished = path.with_extension(format!("new{}", std::process::id()));
        let make = || {
            files::remove_folder(&unfinished)?;
            files::ensure_folder(&unfinished, 0o755)?;
            FOLDERS.iter().try_for_each(|name| files::ensure_folder(&unfinished.join(name), 0o755))?;
            FILES.iter().try_for_each(|name| files::create_empty(&unfinished.join(name), 0o644))?;
            let anybodys = fs::Permissions::from_mode(0o1777);
            fs::set_permissions(unfinished.join("tmp"), anybodys)
                .map_err(FileError::new("open to all", &unfinished))
        };
        make().inspect_err(|_| drop(files::remove_folder(&unfinished)))?;
        match fs::rename(&unfinished, &path) {
            Ok(()) => Ok(path),
            // Somebody else was quicker.
            Err(_) if path.is_dir() => files::remove_folder(&unfinished).map(|()| path),
            Err(error) => Err(FileError::new("create folder", &path)(error)),
        }
    }
}

/// Why there is nothing below what a container writes.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// The image is not there any more.
    #[error(transparent)]
    Image(#[from] images::Error),
    /// The layer of mount points cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
}

impl LowerError {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image(error) => error.hint(),
            Self::File(_) => None,
        }
    }
}
