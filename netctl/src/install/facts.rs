//! What is there: looked at once, before a plan is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::Manifest;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    File(Content),
    /// A symbolic link, wherever it leads: never one of ours.
    Symlink,
    /// A directory, a device, …
    Unusable,
}

/// A file, by what is in it and by which file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) digest: String,
    /// Device and inode: two names of one file have them in common.
    pub(super) identity: (u64, u64),
}

/// A directory before anything is done to it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The directories that are there.
    pub(super) folders: BTreeSet<PathBuf>,
    pub(super) manifest: Manifest,
    found: BTreeMap<String, Found>,
}

impl Facts {
    /// Puts facts together; names that are not in `found` stand for nothing.
    pub(super) fn new(
        folders: BTreeSet<PathBuf>,
        manifest: Manifest,
        found: BTreeMap<String, Found>,
    ) -> Self {
        Self { folders, manifest, found }
    }

    pub(super) fn at(&self, name: &str) -> &Found {
        self.found.get(name).unwrap_or(&Found::Nothing)
    }
}

/// The digests of files seen so far: a plugin's file has many names, and is read once.
#[derive(Debug, Default)]
pub(super) struct Digests(BTreeMap<(u64, u64), String>);

impl Digests {
    fn of(&mut self, path: &Path, identity: (u64, u64)) -> io::Result<String> {
        if let Some(digest) = self.0.get(&identity) {
            return Ok(digest.clone());
        }
        let digest = digest(path)?;
        self.0.insert(identity, digest.clone());
        Ok(digest)
    }
}

impl Found {
    pub(super) fn look(path: &Path, digests: &mut Digests) -> io::Result<Self> {
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            metadata => metadata?,
        };
        if metadata.is_symlink() {
            return Ok(Self::Symlink);
        }
        if !metadata.is_file() {
            return Ok(Self::Unusable);
        }
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self::File(Content { digest: digests.of(path, identity)?, identity }))
    }

    /// Whether it is a file with one of these contents.
    pub(super) fn has_one_of(&self, digests: &[String]) -> bool {
        matches!(self, Self::File(content) if digests.contains(&content.digest))
    }

    /// Whether both are names of one file.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(this), Self::File(other)) => this.identity == other.identity,
            _ => false,
        }
    }
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(super) fn digest(file: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hexadecimal(hasher)),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The SHA-256 of what a file is to have, in hexadecimal digits.
pub(super) fn digest_of(content: &[u8]) -> String {
    hexadecimal(Sha256::new_with_prefix(content))
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
