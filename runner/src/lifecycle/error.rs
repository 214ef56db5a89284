//! Why something cannot be done with a container.

use std::io;

use crate::networks::NetworksError;
use crate::{FileError, Name, StoreError};

/// Why something cannot be done with a container.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It does not run.
    #[error("container {0} is not running")]
    NotRunning(Name),
    /// It runs already.
    #[error("container {0} is running already")]
    Running(Name),
    /// It is paused.
    #[error("container {0} is paused")]
    Paused(Name),
    /// It is not paused.
    #[error("container {0} is not paused")]
    NotPaused(Name),
    /// It could not be started, as its monitor told.
    #[error("start container {name}")]
    Start {
        /// Which.
        name: Name,
        /// What shells make of it.
        code: u8,
        /// Why not.
        source: Told,
        /// A way out.
        hint: Option<String>,
    },
    /// Its monitor says no.
    #[error("container {name}: {said}")]
    Refused {
        /// Which.
        name: Name,
        /// What it says.
        said: String,
    },
    /// Its monitor cannot be talked to.
    #[error("talk to the monitor of container {name}")]
    Talk {
        /// Which.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// Its monitor cannot be started.
    #[error("start a monitor for container {name}")]
    Monitor {
        /// Which.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// It does not end.
    #[error("container {0} does not end, although it was killed")]
    DoesNotEnd(Name),
    /// A file of it.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store of containers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its control group.
    #[error(transparent)]
    Group(#[from] cgroup::Error),
    /// Its networks.
    #[error(transparent)]
    Networks(#[from] NetworksError),
}

/// What another process told of a failure: what failed, and because of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    text: String,
    because: Option<Box<Told>>,
}

impl Told {
    pub(crate) fn new(words: &[String]) -> Self {
        let because = words.get(1..).filter(|rest| !rest.is_empty()).map(|rest| Box::new(Self::new(rest)));
        Self { text: words.first().cloned().unwrap_or_else(|| "it does not say why".to_owned()), because }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Told {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.because.as_ref().map(|because| &**because as _)
    }
}

impl AskError {
    /// What shells, and Docker, make of it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start { code, .. } => *code,
            Self::Monitor { .. } => 125,
            _ => 1,
        }
    }

    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Start { hint, .. } => hint.clone(),
            Self::NotRunning(name) => Some(format!("`netctl start {name}` starts it")),
            Self::Paused(name) => Some(format!("`netctl unpause {name}` lets it go on")),
            Self::DoesNotEnd(_) => Some("its processes wait for the kernel (state D)".to_owned()),
            Self::Group(error) => error.hint(),
            Self::Networks(error) => error.hint(),
            _ => None,
        }
    }
}

/// Why a container is not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// It runs.
    #[error("remove container {0}: it is running")]
    Running(Name),
    /// Others live in its network namespace.
    #[error("remove container {name}: {} in its network", users.join(", "))]
    Shared {
        /// Which.
        name: Name,
        /// Those others.
        users: Vec<String>,
    },
    /// Something that was asked of it on the way.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl RemoveError {
    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Running(name) => {
                Some(format!("`netctl stop {name}` stops it, `netctl rm -f {name}` does both"))
            }
            Self::Shared { users, .. } => Some(format!("remove {} first", users.join(", "))),
            Self::Ask(error) => error.hint(),
        }
    }
}

impl From<FileError> for RemoveError {
    fn from(error: FileError) -> Self {
        Self::Ask(error.into())
    }
}
