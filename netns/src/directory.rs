//! The directory of named namespaces, shared with iproute2.
//!
//! A name is an empty file on which a namespace is mounted. The directory is a mount point of its own whose
//! mounts are shared with its copies in other mount namespaces: what is deleted here is gone there, too, and
//! no forgotten copy keeps a namespace alive.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::{Identity, Name, Netns, namespace};

/// Where iproute2 keeps its namespaces.
pub const SYSTEM: &str = "/run/netns";

/// How many mounts one name can have on top of one another before deleting it gives up.
const MOUNTS: usize = 16;

/// Why a name cannot be made, deleted or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory itself cannot be made or shared.
    #[error("prepare directory {} for network namespaces", path.display())]
    Prepare {
        /// The directory.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The directory cannot be read.
    #[error("list network namespaces in {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The name is taken.
    #[error("create network namespace {name}: {} exists", path.display())]
    Exists {
        /// The name.
        name: Name,
        /// Its file.
        path: PathBuf,
    },
    /// Nothing has the name.
    #[error("delete network namespace {name}: {} does not exist", path.display())]
    Missing {
        /// The name.
        name: Name,
        /// Where its file would be.
        path: PathBuf,
    },
    /// The name cannot be given.
    #[error("create network namespace {name}")]
    Create {
        /// The name.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// The name cannot be taken away.
    #[error("delete network namespace {name}")]
    Delete {
        /// The name.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// There is no namespace to give the name to.
    #[error("create network namespace {name}")]
    Namespace {
        /// The name.
        name: Name,
        /// What is wrong with the namespace.
        source: namespace::Error,
    },
}

/// A directory of named namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    path: PathBuf,
}

impl Default for Directory {
    /// The directory that iproute2 uses.
    fn default() -> Self {
        Self::new(SYSTEM)
    }
}

impl Directory {
    /// The directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file of `name` is.
    #[must_use]
    pub fn path_of(&self, name: &Name) -> PathBuf {
        self.path.join(name)
    }

    /// Opens the namespace called `name`.
    ///
    /// # Errors
    /// As [`Netns::open`].
    pub fn open(&self, name: &Name) -> Result<Netns, namespace::Error> {
        Netns::open(self.path_of(name))
    }

    /// All names, in alphabetical order, whether or not a namespace is behind them. No directory, no names.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn names(&self) -> Result<Vec<Name>, Error> {
        let failed = |source| Error::List { path: self.path.clone(), source };
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(Name::new(entry.map_err(failed)?.file_name()));
        }
        names.sort();
        Ok(names)
    }

    /// The names of one namespace: as many as somebody gave it.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn names_of(&self, identity: Identity) -> Result<Vec<Name>, Error> {
        let mut names = Vec::new();
        for name in self.names()? {
            let path = self.path_of(&name);
            match Identity::of_path(&path) {
                Ok(found) if found == identity => names.push(name),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::List { path, source }),
            }
        }
        Ok(names)
    }

    /// Makes a new namespace and calls it `name`.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken; after any error there is no file of that name.
    pub fn create(&self, name: &Name) -> Result<(), Error> {
        self.publish(name, |path| {
            // `/proc/self` would be the namespace that this process came from.
            namespace::run_in_new(|| bind(Path::new("/proc/thread-self/ns/net"), path))
                .map_err(|source| Error::Namespace { name: name.clone(), source })?
                .map_err(|source| Error::Create { name: name.clone(), source })
        })
    }

    /// Gives an existing namespace the name `name`, by which it survives its processes.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken; after any error there is no file of that name.
    pub fn attach(&self, name: &Name, netns: &Netns) -> Result<(), Error> {
        let source = format!("/proc/thread-self/fd/{}", netns.as_fd().as_raw_fd());
        self.publish(name, |path| {
            bind(Path::new(&source), path).map_err(|source| Error::Create { name: name.clone(), source })
        })
    }

    /// Takes a name away. The namespace goes, too, unless a process or another name holds it.
    ///
    /// # Errors
    /// [`Error::Missing`] when nothing has the name.
    pub fn delete(&self, name: &Name) -> Result<(), Error> {
        let path = self.path_of(name);
        // The file first: only while something is mounted on it does the kernel refuse with EBUSY. In this
        // order a file that a killed program left behind needs no special case, a symbolic link goes
        // without the mount it points to, and no error is ignored.
        for _ in 0..MOUNTS {
            let source = match fs::remove_file(&path) {
                Ok(()) => return Ok(()),
                Err(source) => source,
            };
            match Errno::from_raw(source.raw_os_error().unwrap_or(0)) {
                Errno::ENOENT => return Err(Error::Missing { name: name.clone(), path }),
                Errno::EBUSY => {}
                _ => return Err(Error::Delete { name: name.clone(), source }),
            }
            match umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
                // Somebody else deletes it at the same time; the next round tells who was first.
                Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
                Err(errno) => return Err(Error::Delete { name: name.clone(), source: errno.into() }),
            }
        }
        Err(Error::Delete { name: name.clone(), source: Errno::EBUSY.into() })
    }

    /// Makes the directory, and makes it a shared mount point, as far as that is not done yet.
    ///
    /// # Errors
    /// [`Error::Prepare`].
    pub fn ensure(&self) -> Result<(), Error> {
        self.ensure_shared().map_err(|source| Error::Prepare { path: self.path.clone(), source })
    }

    fn ensure_shared(&self) -> io::Result<()> {
        const NONE: Option<&str> = None;
        let share = || mount(NONE, &self.path, NONE, MsFlags::MS_SHARED | MsFlags::MS_REC, NONE);

        DirBuilder::new().recursive(true).mode(0o755).create(&self.path)?;
        let directory = File::open(&self.path)?;
        // Two programs at the first namespace of a machine would mount the directory on itself twice, and
        // one's namespaces would be hidden below the other's. iproute2 takes the same lock.
        directory.lock()?;
        match share() {
            // It is no mount point yet.
            Err(Errno::EINVAL) => {
                mount(Some(&self.path), &self.path, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
                share()?;
            }
            shared => shared?,
        }
        Ok(())
    }

    /// Makes the file of `name` and has `mount` mount a namespace on it.
    fn publish(&self, name: &Name, mount: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
        self.ensure()?;
        let path = self.path_of(name);
        match OpenOptions::new().write(true).create_new(true).mode(0o000).open(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists { name: name.clone(), path });
            }
            Err(source) => return Err(Error::Create { name: name.clone(), source }),
        }
        mount(&path).inspect_err(|_| {
            // Nobody but us has used the name; should it fail all the same, `delete` takes the file away.
            let _ = fs::remove_file(&path);
        })
    }
}

/// Mounts `source` on the file `target`.
fn bind(source: &Path, target: &Path) -> io::Result<()> {
    const NONE: Option<&str> = None;
    Ok(mount(Some(source), target, NONE, MsFlags::MS_BIND, NONE)?)
}
