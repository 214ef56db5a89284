//! From an OCI configuration and a root file system to a process in namespaces of its own, and further processes in it.
//!
//! ```text
//! begin ──► Child: it mounts and prepares, while the caller joins networks ──► start ──► Running ──► wait
//! ```
//!
//! What is to be done stands in an [`oci::Spec`], the same that runc and crun would get. The child first makes the
//! container's root its own and mounts afterwards: whatever links an image holds, nothing they lead to is the host's.
//!
//! The caller must have one thread: the child is a copy of it, and goes on with its memory.

mod begin;
mod child;
mod control;
mod error;
mod exec;
mod failure;
mod running;
mod sealed;
mod signal;
mod sync;
mod sys;
mod view;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

pub use begin::{Child, begin};
pub use control::take_control;
pub use error::Error;
pub use exec::{Exec, exec};
pub use running::{Exit, Running};
pub use sealed::{is_sealed, sealed_program};
pub use signal::{InvalidSignal, Signal};
pub use view::{mount_apart, view};

/// What a root file system is made of.
#[derive(Debug, Clone, Copy)]
pub enum RootFs<'a> {
    /// Layers on one another: overlayfs.
    Overlay {
        /// What is only read, the topmost first; one at least.
        lower: &'a [PathBuf],
        /// What is written.
        upper: &'a Path,
        /// Where what is written is prepared: on the file system of `upper`.
        work: &'a Path,
        /// Whether nobody minds if what was written is lost with the machine's power: it is not waited for at the end.
        volatile: bool,
    },
    /// A folder as it is.
    Folder(&'a Path),
}

/// What a process reads and writes.
#[derive(Debug)]
pub enum Streams {
    /// Open files.
    Files {
        /// Its standard input.
        stdin: OwnedFd,
        /// Its standard output.
        stdout: OwnedFd,
        /// Its standard error output.
        stderr: OwnedFd,
    },
    /// A terminal of the container's own.
    Terminal {
        /// Rows and columns; the kernel's zeros without it.
        size: Option<(u16, u16)>,
    },
}

/// A container that is to be.
#[derive(Debug)]
pub struct Launch<'a> {
    /// What it is.
    pub spec: &'a oci::Spec,
    /// Its root file system.
    pub root: RootFs<'a>,
    /// What its first process reads and writes.
    pub streams: Streams,
    /// The way into its control group; nothing leaves it in the caller's.
    pub entrance: Option<cgroup::Entrance>,
    /// What stands before its system calls.
    pub filter: Option<&'a seccomp::Program>,
    /// Whether its first process is a reaper of ours, and its program the second.
    pub init: bool,
}
