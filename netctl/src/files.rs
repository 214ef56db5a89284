//! Files that change from one moment to the next, and are never half there.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory that everybody may read.
pub(crate) fn ensure_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)
}

/// Where a file is made before it takes its place: always the same, so that what a killed program left is written over.
pub(crate) fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".netctl-new-{name}"))
}

/// Writes `content` to `file`.
pub(crate) fn write(file: &Path, content: &mut impl Read, mode: u32) -> io::Result<()> {
    let new = beside(file);
    remove(&new)?;
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    io::copy(content, &mut opened)?;
    // The process's umask is no reason for a plugin that nobody may execute.
    opened.set_permissions(Permissions::from_mode(mode))?;
    opened.sync_all()?;
    move_to(&new, file)
}

/// Gives the file at `target` the further name `file`.
pub(crate) fn link(target: &Path, file: &Path) -> io::Result<()> {
    let new = beside(file);
    remove(&new)?;
    fs::hard_link(target, &new)?;
    move_to(&new, file)
}

/// Renames `from` to `to`, replacing what is there, so that it lasts.
pub(crate) fn move_to(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    // Between two names of one file rename(2) does nothing at all.
    remove(from)?;
    let folder = to.parent().unwrap_or(Path::new("/"));
    File::open(folder)?.sync_all()
}

/// Removes a file; what is gone is fine.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
