//! One step of an installation, for people, for programs, and done.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use super::bundle::Error;
use crate::files;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(super) enum Step {
    /// Make the directory.
    CreateFolder { file: PathBuf },
    /// Keep a file that is not ours under another name, too.
    BackUp { file: PathBuf, backup: PathBuf },
    /// Put a copy of a program in its place.
    Install { file: PathBuf, source: PathBuf },
    /// Write a file that netctl has the text of.
    Write {
        file: PathBuf,
        #[serde(skip)]
        text: Vec<u8>,
    },
    /// Give a program a further name.
    Link { file: PathBuf, program: PathBuf },
    /// Give back its name to the file that was there before.
    Restore { file: PathBuf, backup: PathBuf },
    /// Remove a file of ours.
    Remove { file: PathBuf },
    /// Leave a file that somebody else put in the place of ours.
    Leave { file: PathBuf },
}

impl Step {
    pub(super) fn take(&self) -> Result<(), Error> {
        self.try_take().map_err(|source| Error::Step { step: self.clone(), source })
    }

    fn try_take(&self) -> io::Result<()> {
        match self {
            Self::CreateFolder { file } => files::ensure_folder(file),
            Self::BackUp { file, backup } => files::link(file, backup),
            Self::Install { file, source } => files::write(file, &mut File::open(source)?, 0o755),
            Self::Write { file, text } => files::write(file, &mut text.as_slice(), 0o644),
            Self::Link { file, program } => files::link(program, file),
            Self::Restore { file, backup } => files::move_to(backup, file),
            Self::Remove { file } => files::remove(file),
            Self::Leave { .. } => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateFolder { file } => write!(f, "create directory {}", file.display()),
            Self::BackUp { file, backup } => write!(f, "keep {} as {}", file.display(), backup.display()),
            Self::Install { file, .. } => write!(f, "install {}", file.display()),
            Self::Write { file, .. } => write!(f, "write {}", file.display()),
            Self::Link { file, .. } => write!(f, "link {}", file.display()),
            Self::Restore { file, .. } => write!(f, "restore {}", file.display()),
            Self::Remove { file } => write!(f, "remove {}", file.display()),
            Self::Leave { file } => write!(f, "leave {}: netctl did not install it", file.display()),
        }
    }
}
