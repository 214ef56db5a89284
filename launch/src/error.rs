//! Why no process came of it.

use std::io;

use crate::failure::{Failure, Kind};

/// Why no process came of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not in the container.
    #[error("{what}")]
    NotFound {
        /// What was tried, with whom.
        what: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// The program is in the container, and cannot be executed.
    #[error("{what}")]
    NotExecutable {
        /// What was tried, with whom.
        what: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// A step before that failed.
    #[error("{what}")]
    Step {
        /// What was tried, with whom.
        what: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// The process ended before it could tell why.
    #[error("the container's first process ended while it prepared: {exit}")]
    Vanished {
        /// How it ended.
        exit: crate::Exit,
    },
}

impl Error {
    pub(crate) fn step(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Step { what: what.into(), source: source.into() }
    }

    /// What a shell, and Docker, make of it: 127 if there is no such program, 126 if it cannot be executed, else 125.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotExecutable { .. } => 126,
            Self::Step { .. } | Self::Vanished { .. } => 125,
        }
    }

    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { .. } => {
                Some("look for it in the container's PATH, or give its whole path".to_owned())
            }
            Self::NotExecutable { source, .. } if source.raw_os_error() == Some(libc::ENOEXEC) => {
                Some("it is no program of this machine's kind, and has no #! line".to_owned())
            }
            Self::NotExecutable { .. } => {
                Some("make it executable (chmod +x), and its file system too".to_owned())
            }
            Self::Step { .. } | Self::Vanished { .. } => None,
        }
    }
}

impl From<Failure> for Error {
    fn from(Failure { kind, what, source }: Failure) -> Self {
        match kind {
            Kind::NotFound => Self::NotFound { what, source },
            Kind::NotExecutable => Self::NotExecutable { what, source },
            Kind::Preparation => Self::Step { what, source },
        }
    }
}
