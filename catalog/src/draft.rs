//! Conflists that appear whole or not at all.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file or folder cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write {}", file.display())]
pub struct WriteError {
    /// The file or folder.
    pub file: PathBuf,
    /// What the kernel says.
    pub source: io::Error,
}

/// Writes a conflist of a name that no file has.
///
/// # Errors
/// [`WriteError`]; there is nothing of it then.
pub(crate) fn write_whole(file: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |at: &Path| {
        let file = at.to_owned();
        move |source| WriteError { file, source }
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(failed(folder))?;
    let draft = draft_of(file);
    // What a killed attempt left; or a symbolic link, which would have us write where it leads.
    remove(file)?;
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&draft);
    let written = opened.map_err(failed(&draft)).and_then(|mut opened| {
        opened.write_all(text.as_bytes()).map_err(failed(file))?;
        // A network outlives a power cut; a torn file would be in every runtime's way.
        opened.sync_all().map_err(failed(file))
    });
    // A link, unlike a renamed file, takes nobody's place: what has the name may be a network that cannot be read.
    let linked = written.and_then(|()| fs::hard_link(&draft, file).map_err(failed(file)));
    let finished = linked.and_then(|()| remove(file).inspect_err(|_| drop(fs::remove_file(file))));
    // Once more: the error that is reported is the first one.
    finished.inspect_err(|_| drop(remove(file)))
}

/// Removes what somebody left of a conflist who was killed while he wrote it.
///
/// # Errors
/// [`WriteError`].
pub(crate) fn remove(file: &Path) -> Result<(), WriteError> {
    let draft = draft_of(file);
    // In a folder that cannot be written to, removing what is not there is refused all the same.
    if fs::symlink_metadata(&draft).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    match fs::remove_file(&draft) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| WriteError { file: draft, source }),
    }
}

/// No runtime reads a file without one of its extensions.
fn draft_of(file: &Path) -> PathBuf {
    file.with_extension("conflist.new")
}
