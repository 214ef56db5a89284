//! The end of a network: its directory goes, once nobody leases from it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::directory::{LOCK, LeaseDirectory};
use crate::disk;
use crate::error::StoreError;
use crate::lease_file::{self, UNFINISHED};
use crate::scan::{self, last_file};
use crate::store::Store;

impl Store {
    /// Removes the directory with its books, and the hints for it, unless a lease or a file that might be one is in it.
    /// Tells whether it is gone.
    ///
    /// Whoever waits for the lock meanwhile makes the directory anew: the lock that they get is of a file that has no
    /// name any more.
    ///
    /// # Errors
    /// [`StoreError`] when the directory cannot be read, or something in it cannot be removed. Called again, it goes on
    /// from there.
    pub fn remove_if_empty(&self) -> Result<bool, StoreError> {
        let Some(directory) = LeaseDirectory::find_locked(self.directory())? else { return Ok(true) };
        let survey = scan::scan(&directory)?;
        if survey.taken().next().is_some() {
            return Ok(false);
        }
        let folder = &directory.folder;
        let state =
            folder.state().map_err(|source| StoreError::Read { path: folder.path.clone(), source })?;
        disk::remove_all(self.run_dir(), state)?;
        let books = survey.last.keys().map(|set| last_file(*set));
        // The lock last: as long as it is there, whoever waits for it comes after us.
        for file in books.chain([UNFINISHED.to_owned(), LOCK.to_owned()]) {
            let removed = lease_file::remove(folder, &file);
            removed.map_err(|source| StoreError::Clear { path: directory.path_of(&file), source })?;
        }
        remove_folder(&folder.path)
    }
}

/// Removes the folder unless something is in it: another program's file, or the lock of an operation that has begun just
/// now.
fn remove_folder(path: &Path) -> Result<bool, StoreError> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        // A link to a folder elsewhere is somebody's arrangement.
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(source) => Err(StoreError::Clear { path: path.to_owned(), source }),
    }
}
