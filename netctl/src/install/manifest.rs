//! What is ours in a directory: the file that `netctl install` leaves for `netctl uninstall`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;

/// The name of the manifest. Nobody takes it for a plugin.
pub(super) const NAME: &str = ".netctl-install.json";

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of netctl that wrote it.
    #[serde(default)]
    pub(super) netctl: String,
    /// The files by name.
    #[serde(default)]
    pub(super) files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The contents that are ours: one, or two while one is being replaced by the other.
    pub(super) sha256: Vec<String>,
    /// The name under which the file that was there before is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) backup: Option<String>,
}

impl Manifest {
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// The manifest of a directory; an empty one where there is none.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        match fs::read(Self::path(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            bytes => Ok(serde_json::from_slice(&bytes?)?),
        }
    }

    /// Writes the manifest, and makes its directory; one without files is removed.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        if self.files.is_empty() {
            return files::remove(&Self::path(folder));
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        files::ensure_folder(folder)?;
        files::write(&Self::path(folder), &mut text.as_slice(), 0o644)
    }
}
