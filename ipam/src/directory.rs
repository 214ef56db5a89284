//! Folders that are held open, and the lease directory, which is locked as long as it is held.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use crate::error::StoreError;

/// The file whose lock both implementations take.
pub(crate) const LOCK: &str = "lock";

/// How often a folder is made that vanishes at once; nobody removes one that often.
const ATTEMPTS: u32 = 100;

pub(crate) const READ_WRITE: OFlag = OFlag::O_RDWR;

/// A folder that is held open: its files are found without walking the path again.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    handle: File,
}

impl Folder {
    /// Opens the folder at `path`, if there is one.
    pub(crate) fn find(path: PathBuf) -> io::Result<Option<Self>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match nix::fcntl::open(&path, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(Self { path, handle: handle.into() })),
            Err(nix::errno::Errno::ENOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder at `path` and makes it, and those above it, with `mode` if it is not there.
    pub(crate) fn ensure(path: PathBuf, mode: u32) -> io::Result<Self> {
        // Between making and opening it, whoever ends the network may find it empty and remove it.
        for _ in 0..ATTEMPTS {
            if let Some(folder) = Self::find(path.clone())? {
                return Ok(folder);
            }
            DirBuilder::new().recursive(true).mode(mode).create(&path)?;
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Opens the file `name` in this folder; one that is made is its owner's alone.
    pub(crate) fn open(&self, name: &str, flags: OFlag) -> io::Result<File> {
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        Ok(openat(&self.handle, name, flags | OFlag::O_CLOEXEC, mode)?.into())
    }

    /// Reads the file `name` if there is one; of a long one only what fits into `buffer`.
    pub(crate) fn read<'b>(&self, name: &str, buffer: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
        match self.open(name, OFlag::O_RDONLY | OFlag::O_NONBLOCK) {
            Ok(file) => {
                let len = file.read_at(buffer, 0)?;
                Ok(Some(&buffer[..len]))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes `text` over what the file `name` held.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let file = self.open(name, OFlag::O_WRONLY | OFlag::O_CREAT)?;
        overwrite(&file, text)
    }

    fn is_removed(&self) -> bool {
        self.handle.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// What the folder is and how it stands.
    pub(crate) fn state(&self) -> io::Result<State> {
        let metadata = self.handle.metadata()?;
        Ok(State {
            identity: (metadata.dev(), metadata.ino()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// What a folder is and how it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    /// Device and number: which folder it is, by whichever path it was reached.
    pub(crate) identity: (u64, u64),
    /// When a name in the folder, or the folder itself, changed last. Nobody can set it, unlike the time of
    /// modification, which whoever restores a backup sets back.
    pub(crate) changed: (i64, i64),
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Writes `text` over what `file` held.
pub(crate) fn overwrite(file: &File, text: &str) -> io::Result<()> {
    file.write_all_at(text.as_bytes(), 0)?;
    let len = text.len() as u64;
    if file.metadata()?.len() > len { file.set_len(len) } else { Ok(()) }
}

/// The lease directory of one network. Whoever has this value is the only one that changes leases.
pub(crate) struct LeaseDirectory {
    pub(crate) folder: Folder,
    // Closing it gives up the lock, and so does being killed.
    _lock: File,
}

impl LeaseDirectory {
    /// Makes the directory if need be, and waits for its lock.
    pub(crate) fn ensure_locked(path: &Path) -> Result<Self, StoreError> {
        loop {
            let folder = Folder::ensure(path.to_owned(), 0o755);
            let folder = folder.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
            if let Some(locked) = Self::lock(folder)? {
                return Ok(locked);
            }
        }
    }

    /// Waits for the lock of the directory, if there is one.
    pub(crate) fn find_locked(path: &Path) -> Result<Option<Self>, StoreError> {
        loop {
            let folder = Folder::find(path.to_owned());
            let folder = folder.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
            let Some(folder) = folder else { return Ok(None) };
            if let Some(locked) = Self::lock(folder)? {
                return Ok(Some(locked));
            }
        }
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path.join(name)
    }

    /// Nothing when somebody removed the directory while we waited: its lock protects nothing any more.
    fn lock(folder: Folder) -> Result<Option<Self>, StoreError> {
        let lock = || -> io::Result<(File, bool)> {
            let lock = folder.open(LOCK, OFlag::O_RDONLY | OFlag::O_CREAT)?;
            lock.lock()?;
            let alive = lock.metadata()?.nlink() > 0;
            Ok((lock, alive))
        };
        match lock() {
            Ok((lock, true)) => Ok(Some(Self { folder, _lock: lock })),
            Ok((_, false)) => Ok(None),
            // The directory itself was removed between our opening it and the lock file.
            Err(_) if folder.is_removed() => Ok(None),
            Err(source) => Err(StoreError::Lock { path: folder.path, source }),
        }
    }
}

/// Whether files can be made in the directory at `path`, or, where it is not there yet, it itself.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    let there = path.ancestors().find(|path| fs::metadata(path).is_ok()).unwrap_or(Path::new("/"));
    if !there.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(nix::unistd::access(there, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK)?)
}
