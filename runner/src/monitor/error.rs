//! Why a container does not start.

use std::io;

use crate::networks::NetworksError;
use crate::spec::SpecError;
use crate::{FileError, Id, LowerError, Name};

/// Why a container does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It was removed meanwhile.
    #[error("container {} is gone", .0.short())]
    Gone(Id),
    /// It has a monitor already.
    #[error("container {0} is running already")]
    Running(Name),
    /// The container whose network it shares does not run.
    #[error("--network container:{name}: container {name} is not running")]
    NotRunning {
        /// That one.
        name: String,
    },
    /// Something was asked for that cannot be had.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Its control group cannot be made.
    #[error(transparent)]
    Group(#[from] cgroup::Error),
    /// The rules for system calls make no program.
    #[error(transparent)]
    Filter(#[from] seccomp::Error),
    /// No process came of it.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// Another runtime was to start it, and did not.
    #[error("--runtime {}: {verb} the container", program.display())]
    Runtime {
        /// The runtime.
        program: std::path::PathBuf,
        /// What it was asked to do.
        verb: &'static str,
        /// What it says.
        source: io::Error,
    },
    /// It cannot be on its networks.
    #[error(transparent)]
    Networks(#[from] NetworksError),
    /// A file of it.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its image is gone.
    #[error(transparent)]
    Image(#[from] LowerError),
    /// Something of the monitor itself.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
}

impl StartError {
    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// What a shell, and Docker, make of it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Launch(error) => error.exit_code(),
            _ => 125,
        }
    }

    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRunning { name } => Some(format!("`netctl start {name}` starts it")),
            Self::Spec(error) => error.hint(),
            Self::Group(error) => error.hint(),
            Self::Launch(error) => error.hint(),
            Self::Networks(error) => error.hint(),
            Self::Image(error) => error.hint(),
            _ => None,
        }
    }
}
