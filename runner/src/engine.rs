//! Everything that containers need of this machine.

use std::path::PathBuf;

use catalog::Catalog;
use network::Runtime;

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
    /// [`images::Error`]: the image is not there any more.
    pub(crate) fn lower(&self, config: &Config) -> Result<Vec<PathBuf>, images::Error> {
        match &config.source {
            Source::Folder(folder) => Ok(vec![folder.clone()]),
            Source::Image(used) => {
                let images = images::Store::open(&self.store.places().state_dir)?;
                let image = images.find(&used.id)?;
                Ok(images.lower_dirs(&image))
            }
        }
    }
}
