//! Where images are, and who uses them.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::Args;
use images::{Image, ImageId, RemoveError, Removed, Source, Store};
use runner::Places;

use crate::report::Failure;
use crate::roots::StateDir;

#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    state_dir: StateDir,
}

impl Place {
    pub(super) fn store(&self) -> Result<Store, Failure> {
        Store::open(self.state_dir()).map_err(of)
    }

    pub(super) fn find(&self, wanted: &str) -> Result<Image, Failure> {
        self.store()?.find(wanted).map_err(of)
    }

    /// Removes a name, or an image of which no container is made.
    pub(super) fn remove(&self, store: &Store, wanted: &str, force: bool) -> Result<Removed, RemoveError> {
        store.remove(wanted, force, &|image| self.users(image).map_err(Into::into))
    }

    /// The names of the containers that are made of an image.
    fn users(&self, image: &ImageId) -> Result<Vec<String>, runner::FileError> {
        let places = Places { state_dir: self.state_dir().to_owned(), run_dir: cni::run_dir() };
        let (containers, broken) = runner::Store::new(places).list()?;
        // What a file does not tell may be this image.
        if let Some(error) = broken.into_iter().next() {
            return Err(error);
        }
        let image = image.to_string();
        let is_user = |container: &&runner::Container| match &container.config().source {
            runner::Source::Image(used) => used.id == image,
            runner::Source::Folder(_) => false,
        };
        Ok(containers.iter().filter(is_user).map(|user| format!("container {}", user.name())).collect())
    }

    fn state_dir(&self) -> &Path {
        self.state_dir.path()
    }
}

/// Where an archive is read from: a file or folder, or else standard input.
pub(super) fn source(path: Option<PathBuf>) -> Result<Source, Failure> {
    match path {
        Some(path) => Ok(Source::Path(path)),
        None if io::stdin().is_terminal() => {
            Err(Failure::from(NothingToRead)
                .hint("name a file, or send one: `netctl load < FILE`".to_owned()))
        }
        None => Ok(Source::Stream(Box::new(io::stdin()), "standard input".to_owned())),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("read an archive from standard input: it is a terminal")]
struct NothingToRead;

/// What the store says, with the way out that it knows.
pub(super) fn of(error: images::Error) -> Failure {
    Failure::with(error, images::Error::hint)
}
