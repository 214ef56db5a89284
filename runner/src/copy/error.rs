//! Why something is not copied.

use std::io;
use std::path::{Path, PathBuf};

use crate::{AskError, LowerError};

/// Why something is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A file of either side.
    #[error("{doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The container cannot be asked.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Its image is gone.
    #[error(transparent)]
    Image(#[from] LowerError),
    /// Its root file system cannot be looked into.
    #[error(transparent)]
    View(#[from] launch::Error),
}

impl CopyError {
    pub(super) fn new(doing: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::File { doing, path: path.as_ref().to_owned(), source }
    }
}
