//! GC and the end of a network alone, everything else together: one lock a network.
//!
//! GC is told what is valid and removes the rest. An ADD that finishes between the two would lose its
//! lease, so the specification has runtimes keep GC apart from ADD and DEL (CNI spec, section 4).

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use cni::{Code, Fault};
use vocab::NetworkName;

/// A network cannot be locked.
#[derive(Debug, thiserror::Error)]
#[error("lock {}", file.display())]
pub struct LockError {
    /// The lock's file.
    pub file: PathBuf,
    /// What the kernel says.
    pub source: io::Error,
}

impl Fault for LockError {
    fn code(&self) -> Code {
        Code::IO
    }
}

/// The locks: a file a network in `RUN/networks`, which dies with the boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locks {
    folder: PathBuf,
}

/// A lock that is held until this value goes, or the process does.
#[derive(Debug)]
pub(crate) struct Held {
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // A child that a plugin left to wait for the kernel has this descriptor, too: closing ours would
        // leave the lock with it. There is nobody to tell should it fail, and the child ends soon.
        let _ = self.file.unlock();
    }
}

impl Locks {
    /// The locks below `run` ([`cni::run_dir`]), which need not exist yet.
    pub fn new(run: impl Into<PathBuf>) -> Self {
        Self { folder: run.into().join("networks") }
    }

    /// For ADD, DEL, CHECK and raise: any number of them at once.
    pub(crate) fn shared(&self, network: &NetworkName) -> Result<Held, LockError> {
        self.hold(network, File::lock_shared)
    }

    /// For GC, and for what ends a network.
    pub(crate) fn exclusive(&self, network: &NetworkName) -> Result<Held, LockError> {
        self.hold(network, File::lock)
    }

    fn hold(&self, network: &NetworkName, lock: fn(&File) -> io::Result<()>) -> Result<Held, LockError> {
        let file = self.folder.join(format!("{network}.lock"));
        let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
        let opened = open().or_else(|_| {
            DirBuilder::new().recursive(true).mode(0o755).create(&self.folder)?;
            open()
        });
        let locked = opened.and_then(|opened| lock(&opened).map(|()| Held { file: opened }));
        locked.map_err(|source| LockError { file, source })
    }
}
