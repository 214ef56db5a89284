//! Joins that are under way, each with a note in the run directory: of one that was killed nobody else knows. What its
//! plugins had made by then is taken away when it is the container's turn again.
//!
//! A note is a symbolic link, which is there whole or not at all, and leads nowhere: its text is
//! `NETWORK/CONTAINER/INTERFACE/` and the path of the container's namespace, its name a hash of the attachment.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use vocab::{Attachment, NetworkName};

/// A note cannot be written, read or removed.
#[derive(Debug, thiserror::Error)]
#[error("note in {} who joins a network", path.display())]
pub struct NoteError {
    /// The note, or the folder of all.
    pub path: PathBuf,
    /// What the kernel says.
    pub source: io::Error,
}

/// A note of a join; it goes with this value, unless that is [kept](Self::keep).
#[derive(Debug)]
pub(crate) struct Note(Option<PathBuf>);

impl Note {
    /// Leaves the note where it is: not everything could be taken back.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // Whoever finds it will find what is kept of the attachment, or nothing to take away.
        let _ = self.0.take().map(fs::remove_file);
    }
}

/// A join that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    /// The network.
    pub(crate) network: NetworkName,
    /// Whom, and by which interface.
    pub(crate) attachment: Attachment,
    /// The container's namespace.
    pub(crate) netns: PathBuf,
}

/// The folder of notes.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    pub(crate) fn below(run_dir: &Path) -> Self {
        Self(run_dir.join("joining"))
    }

    /// Notes that a join begins.
    ///
    /// # Errors
    /// [`NoteError`].
    pub(crate) fn begin(&self, begun: &Begun) -> Result<Note, NoteError> {
        self.end(begun)?;
        let path = self.path_of(begun);
        let text = format!("{}/{}/{}", begun.network, begun.attachment, begun.netns.display());
        let written = symlink(&text, &path).or_else(|error| match error.kind() {
            ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o755).create(&self.0)?;
                symlink(&text, &path)
            }
            _ => Err(error),
        });
        match written {
            Ok(()) => Ok(Note(Some(path))),
            Err(source) => Err(NoteError { path, source }),
        }
    }

    /// All joins that were begun and have not ended: some are under way, others were killed.
    ///
    /// # Errors
    /// [`NoteError`].
    pub(crate) fn all(&self) -> Result<Vec<Begun>, NoteError> {
        let failed = |source| NoteError { path: self.0.clone(), source };
        let files = match self.0.read_dir() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(failed)?,
        };
        let mut found = Vec::new();
        for file in files {
            match fs::read_link(file.map_err(failed)?.path()) {
                // It has ended meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                text => found.extend(text.map_err(failed)?.to_str().and_then(read)),
            }
        }
        Ok(found)
    }

    /// Removes a note; one that is not there is fine.
    ///
    /// # Errors
    /// [`NoteError`].
    pub(crate) fn end(&self, begun: &Begun) -> Result<(), NoteError> {
        let path = self.path_of(begun);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|source| NoteError { path, source }),
        }
    }

    /// Names of networks and containers together may be longer than that of a file.
    fn path_of(&self, begun: &Begun) -> PathBuf {
        let digest = Sha256::digest(format!("{}/{}", begun.network, begun.attachment).as_bytes());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.0.join(name)
    }
}

fn read(text: &str) -> Option<Begun> {
    let mut words = text.splitn(4, '/');
    let network = words.next()?.parse().ok()?;
    let attachment = Attachment::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Begun { network, attachment, netns: words.next()?.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_there_as_long_as_its_value() {
        let run_dir = std::env::temp_dir().join(format!("unfinished.{}", std::process::id()));
        let unfinished = Unfinished::below(&run_dir);
        let begun = |container: &str| Begun {
            network: "net".parse().unwrap(),
            attachment: Attachment::new(container.parse().unwrap(), "eth0".parse().unwrap()),
            netns: format!("/run/netns/{container}").into(),
        };
        assert_eq!(unfinished.all().unwrap(), []);
        let (web, db) = (begun("web"), begun("db"));
        let note = unfinished.begin(&web).unwrap();
        unfinished.begin(&db).unwrap().keep();
        assert_eq!(unfinished.all().unwrap().len(), 2);
        drop(note);
        assert_eq!(unfinished.all().unwrap(), std::slice::from_ref(&db));
        // As it is when its remover was killed.
        unfinished.begin(&db).unwrap().keep();
        unfinished.end(&db).unwrap();
        unfinished.end(&db).unwrap();
        assert_eq!(unfinished.all().unwrap(), []);
        fs::remove_dir_all(&run_dir).unwrap();
    }
}
