//! A network namespace that is held open.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{panic, thread};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

use crate::Kind;

/// The calling thread's namespace. `/proc/self` would be that of the process's first thread.
const CURRENT: &str = "/proc/thread-self/ns/net";

/// The stack of a thread that is made for a namespace. Its size costs nothing (16 KiB to 8 MiB measured
/// alike: pages that nobody touches are never there); this much is room for whatever runs on it.
const STACK: usize = 256 * 1024;

/// Why a namespace cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is at that path: never made, deleted, or the process is dead.
    #[error("open network namespace {}", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The file is there, but no namespace is mounted on it (any more).
    #[error("open network namespace {}: it is an empty file, no namespace is mounted on it", path.display())]
    Unmounted {
        /// The path as it was given.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("open network namespace {}", path.display())]
    Open {
        /// The path as it was given.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// It is no namespace at all.
    #[error("open network namespace {}: it is {found}", path.display())]
    NotANamespace {
        /// The path as it was given.
        path: PathBuf,
        /// What is there instead (`a directory`).
        found: &'static str,
    },
    /// It is a namespace, but not one of networks.
    #[error("open network namespace {}: it is {kind}", path.display())]
    OtherKind {
        /// The path as it was given.
        path: PathBuf,
        /// Of what kind it is.
        kind: Kind,
    },
    /// The kernel makes no new one.
    #[error("make a network namespace")]
    Make {
        /// What the kernel says.
        source: io::Error,
    },
    /// No thread can be started.
    #[error("start a thread for a network namespace")]
    Thread {
        /// What the kernel says.
        source: io::Error,
    },
    /// It may not be entered.
    #[error("enter network namespace {}", path.display())]
    Enter {
        /// Where it was opened.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

impl Error {
    /// Whether the namespace does not exist (any more), so that whoever wanted it empty has nothing to do.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Unmounted { .. })
    }
}

/// What makes a namespace itself, under whatever path it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The identity of the namespace at `path`, without opening it.
    ///
    /// # Errors
    /// What `stat` says.
    pub fn of_path(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::of(&std::fs::metadata(path)?))
    }

    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// An open network namespace; it lives as long as this value, whatever happens to its path.
#[derive(Debug)]
pub struct Netns {
    file: File,
    path: PathBuf,
    identity: Identity,
}

impl Netns {
    /// Opens the namespace at `path`: a mounted file, `/proc/PID/ns/net`, `/proc/PID/fd/N`, …
    ///
    /// The path is opened and the kernel asked what came of it; the path's own text says nothing.
    ///
    /// # Errors
    /// [`Error`]; [`Error::is_gone`] tells whether there is simply nothing.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        // Not to wait for a writer, should somebody name a FIFO.
        let file = match OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(&path) {
            Ok(file) => file,
            Err(source) if is_missing(&source) => return Err(Error::Missing { path, source }),
            Err(source) => return Err(Error::Open { path, source }),
        };
        let inspect = |errno: Errno| Error::Open { path: path.clone(), source: errno.into() };
        if fstatfs(&file).map_err(inspect)?.filesystem_type() != NSFS_MAGIC {
            return Err(what_else(&file, path));
        }
        match Kind::of(file.as_fd()).map_err(inspect)? {
            Kind::Network => Self::from_file(file, path),
            kind => Err(Error::OtherKind { path, kind }),
        }
    }

    /// The namespace that the calling thread is in.
    ///
    /// # Errors
    /// [`Error::Missing`] as good as always means that `/proc` is not mounted.
    pub fn current() -> Result<Self, Error> {
        match File::open(CURRENT) {
            Ok(file) => Self::from_file(file, CURRENT.into()),
            Err(source) => Err(Error::Missing { path: CURRENT.into(), source }),
        }
    }

    /// Makes a namespace that has no name: it is gone when this value is dropped and nothing else holds it.
    ///
    /// # Errors
    /// [`Error::Make`] when the kernel refuses, as it does without `CAP_SYS_ADMIN`.
    pub fn create() -> Result<Self, Error> {
        run_in_new(Self::current)?
    }

    fn from_file(file: File, path: PathBuf) -> Result<Self, Error> {
        match file.metadata() {
            Ok(metadata) => Ok(Self { file, path, identity: Identity::of(&metadata) }),
            Err(source) => Err(Error::Open { path, source }),
        }
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells it from all others.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether both are the same namespace, under whatever paths.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    /// Runs `job` inside this namespace, on a thread that is made for it and dies after it.
    ///
    /// Sockets opened by `job` stay in the namespace wherever they are used afterwards.
    ///
    /// # Errors
    /// [`Error::Enter`] when the kernel does not let us in, [`Error::Thread`] when there is no thread for it.
    ///
    /// # Panics
    /// When `job` does.
    pub fn run<T: Send>(&self, job: impl FnOnce() -> T + Send) -> Result<T, Error> {
        on_own_thread(|| {
            self.enter()?;
            Ok(job())
        })
    }

    /// Runs `job` inside this namespace on the calling thread, which comes back afterwards.
    ///
    /// For a process that has one thread and ends soon: a plugin that a runtime executed. There, starting a thread
    /// ([`run`](Self::run)) costs 75 µs, and 330 µs when others want the processor, against 5 µs for going there and
    /// back. A thread that cannot come back would go on in the container's namespace as if it were the host's; so the
    /// process is ended then.
    ///
    /// # Errors
    /// [`Error::Enter`] when the kernel does not let us in.
    pub fn visit<T>(&self, job: impl FnOnce() -> T) -> Result<T, Error> {
        let home = Home(Self::current()?);
        self.enter()?;
        let result = job();
        drop(home);
        Ok(result)
    }

    /// Moves the calling thread; only for those that were made for that, or come back.
    pub(crate) fn enter(&self) -> Result<(), Error> {
        setns(&self.file, CloneFlags::CLONE_NEWNET)
            .map_err(|errno| Error::Enter { path: self.path.clone(), source: errno.into() })
    }
}

/// How often a visitor tries to go back.
const GOING_HOME: u32 = 100;

/// Where a visitor comes from, and goes back to, however the visit ends.
struct Home(Netns);

impl Drop for Home {
    fn drop(&mut self) {
        // A moment without memory passes.
        if (0..GOING_HOME).all(|_| self.0.enter().is_err()) {
            std::process::abort();
        }
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Runs `job` inside a namespace that did not exist before.
pub(crate) fn run_in_new<T: Send>(job: impl FnOnce() -> T + Send) -> Result<T, Error> {
    on_own_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| Error::Make { source: errno.into() })?;
        Ok(job())
    })
}

/// Runs `job` on a thread that dies after it.
pub(crate) fn on_own_thread<T: Send, E: Send + From<Error>>(
    job: impl FnOnce() -> Result<T, E> + Send,
) -> Result<T, E> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, job)
            .map_err(|source| Error::Thread { source })?;
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

/// Whether opening failed because nothing is there. A process that dies in that very moment is ESRCH.
fn is_missing(error: &io::Error) -> bool {
    let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
    matches!(errno, Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR)
}

/// Says what a file is that is no namespace.
fn what_else(file: &File, path: PathBuf) -> Error {
    let found = match file.metadata().map(|metadata| (metadata.file_type(), metadata.len())) {
        // What remains of a published namespace when its mount is gone: another mount namespace's view of
        // the directory, or a program that was killed half way.
        Ok((kind, 0)) if kind.is_file() => return Error::Unmounted { path },
        Ok((kind, _)) if kind.is_file() => "a plain file",
        Ok((kind, _)) if kind.is_dir() => "a directory",
        Ok((kind, _)) if kind.is_fifo() => "a FIFO",
        Ok((kind, _)) if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "something else",
    };
    Error::NotANamespace { path, found }
}
