//! Hints that the next operation finds again.
//!
//! A folder for each lease directory, below the run directory, which dies with the boot:
//! `CONTAINER:INTERFACE` is a symbolic link whose target lists the files that this holder has; `taken*` are
//! [bitmaps](crate::bitmap); `stamp` tells [whether all this still holds](crate::stamp). Only whoever has the
//! lock of the lease directory reads or writes here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, readlinkat};
use nix::unistd::symlinkat;
use subnet::Family;

use crate::bitmap::Bitmap;
use crate::directory::{Folder, READ_WRITE, State, overwrite};
use crate::error::StoreError;
use crate::hints::Hints;
use crate::lease_file::remove;
use crate::rotation::Taken;
use crate::scan::Survey;
use crate::stamp::Stamp;

const STAMP: &str = "stamp";

/// Stands between two files in the target of a link; no address has it.
const SEPARATOR: &str = ",";

/// The hints of one lease directory.
pub(crate) struct DiskHints {
    folder: Folder,
    stamp: File,
    bitmap: Bitmap,
    crossed_out: bool,
    broken: bool,
}

impl DiskHints {
    /// Opens the hints of a lease directory below `root`, and makes the folder if need be.
    pub(crate) fn ensure(root: &Path, directory: State) -> io::Result<Self> {
        let folder = Folder::ensure(path(root, directory), 0o700)?;
        let stamp = folder.open(STAMP, READ_WRITE | OFlag::O_CREAT)?;
        Ok(Self { folder, stamp, bitmap: Bitmap::default(), crossed_out: false, broken: false })
    }

    /// What the last operation left, unless it did not come to its end.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let mut bytes = [0; 4096];
        let len = self.stamp.read_at(&mut bytes, 0).ok()?;
        Stamp::parse(std::str::from_utf8(bytes.get(..len)?).ok()?)
    }

    /// Makes the stamp invalid, once: from here to [`finish`](Self::finish), truth and hints may differ.
    pub(crate) fn cross_out(&mut self) {
        if !self.crossed_out {
            self.crossed_out = true;
            self.note(|hints| hints.stamp.write_all_at(b"-", 0));
        }
    }

    /// Forgets everything and takes over what `survey` found.
    pub(crate) fn rebuild(&mut self, survey: &Survey) -> io::Result<()> {
        self.cross_out();
        self.bitmap = Bitmap::default();
        let files = survey.files_by_key().into_iter();
        let mut wanted: BTreeMap<String, String> = files.map(|(key, files)| (key, join(&files))).collect();
        for entry in fs::read_dir(&self.folder.path)? {
            let name = entry?.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
            if name != STAMP && !self.is_right(&name, &mut wanted) {
                remove(&self.folder, &name)?;
            }
        }
        for (key, files) in wanted {
            symlinkat(files.as_str(), &self.folder, key.as_str())?;
        }
        Bitmap::fill(&self.folder, survey.taken())
    }

    /// Writes the stamp, if anything was changed and nothing went wrong.
    pub(crate) fn finish(self, stamp: &Stamp) {
        if self.crossed_out && !self.broken {
            // A stamp that cannot be written stays crossed out: the next operation rebuilds.
            let _ = overwrite(&self.stamp, &stamp.to_string());
        }
    }

    /// Whether the link `key` is as it is wanted; then it is wanted no more. Most are: whoever made us
    /// rebuild has changed little, and looking at a link costs a quarter of making it.
    fn is_right(&self, key: &str, wanted: &mut BTreeMap<String, String>) -> bool {
        let Ok(target) = readlinkat(&self.folder, key) else { return false };
        let right = wanted.get(key).is_some_and(|files| target.as_encoded_bytes() == files.as_bytes());
        right && wanted.remove(key).is_some()
    }

    fn link(&self, key: &str, files: &str) -> io::Result<()> {
        match symlinkat(files, &self.folder, key) {
            Err(Errno::EEXIST) => {
                remove(&self.folder, key)?;
                Ok(symlinkat(files, &self.folder, key)?)
            }
            linked => Ok(linked?),
        }
    }

    /// Does what may fail without harm as long as the stamp stays invalid.
    fn note(&mut self, write: impl FnOnce(&mut Self) -> io::Result<()>) {
        if write(self).is_err() {
            self.broken = true;
        }
    }
}

/// Removes the hints of a lease directory; to be called by whoever has its lock.
pub(crate) fn remove_all(root: &Path, directory: State) -> Result<(), StoreError> {
    let path = path(root, directory);
    match fs::remove_dir_all(&path) {
        // Where there is no run directory, there are none.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(())
        }
        removed => removed.map_err(|source| StoreError::Clear { path, source }),
    }
}

/// Where they are.
fn path(root: &Path, directory: State) -> PathBuf {
    let (device, number) = directory.identity;
    root.join(format!("ipam/{device:x}-{number:x}"))
}

fn join<T: std::borrow::Borrow<str>>(files: &[T]) -> String {
    files.join(SEPARATOR)
}

impl Taken for DiskHints {
    fn first_free(&mut self, family: Family, from: u128, to: u128) -> io::Result<Option<u128>> {
        self.bitmap.first_clear(&self.folder, family, from, to)
    }
}

impl Hints for DiskHints {
    fn files(&mut self, key: &str) -> io::Result<Vec<String>> {
        match readlinkat(&self.folder, key) {
            Ok(files) => Ok(files.to_string_lossy().split(SEPARATOR).map(str::to_owned).collect()),
            Err(Errno::ENOENT) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn set_files(&mut self, key: &str, files: &[String]) {
        self.note(|hints| match files {
            [] => remove(&hints.folder, key),
            files => hints.link(key, &join(files)),
        });
    }

    fn mark(&mut self, address: IpAddr) {
        self.note(|hints| hints.bitmap.put(&hints.folder, address, true));
    }

    fn clear(&mut self, address: IpAddr) {
        self.note(|hints| hints.bitmap.put(&hints.folder, address, false));
    }
}
