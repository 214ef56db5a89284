//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a file of ours cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
pub struct FileError {
    /// What was tried.
    pub doing: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self { doing, path, source }
    }

    /// Whether the file is not there.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

/// Reads JSON.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, FileError> {
    let bytes = fs::read(path).map_err(FileError::new("read", path))?;
    serde_json::from_slice(&bytes).map_err(io::Error::from).map_err(FileError::new("understand", path))
}

/// Writes JSON: readers see the old file or the new one.
pub(crate) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let mut bytes =
        serde_json::to_vec(value).map_err(io::Error::from).map_err(FileError::new("write", path))?;
    bytes.push(b'\n');
    // There is one writer at a time, so a name for it is enough; what a killed one left is written over.
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .map_err(FileError::new("create", &temporary))?;
    file.write_all(&bytes).map_err(FileError::new("write", &temporary))?;
    fs::rename(&temporary, path).map_err(FileError::new("replace", path))
}

/// Writes JSON into a file that is not there, in a folder that nobody knows of yet.
pub(crate) fn write_new<T: Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let mut bytes =
        serde_json::to_vec(value).map_err(io::Error::from).map_err(FileError::new("write", path))?;
    bytes.push(b'\n');
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(&bytes)).map_err(FileError::new("create", path))
}

/// A folder for root alone, and those above it.
pub(crate) fn ensure_folder(path: &Path, mode: u32) -> Result<(), FileError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(FileError::new("create folder", path))
}

/// A folder that was not there.
pub(crate) fn create_folder(path: &Path, mode: u32) -> Result<(), FileError> {
    fs::DirBuilder::new().mode(mode).create(path).map_err(FileError::new("create folder", path))
}

/// An empty file that was not there.
pub(crate) fn create_empty(path: &Path, mode: u32) -> Result<(), FileError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    opened.map(drop).map_err(FileError::new("create", path))
}

/// A file to lock; it is made if it is not there.
pub(crate) fn open_lock(path: &Path) -> Result<File, FileError> {
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(FileError::new("open", path))
}

/// Removes a file or link; one that is not there is fine.
pub(crate) fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(FileError::new("remove", path)),
    }
}

/// Removes a folder and all in it; one that is not there is fine.
pub(crate) fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(FileError::new("remove folder", path)),
    }
}
