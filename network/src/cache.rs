//! What is kept of each attachment between ADD and DEL: libcni's cache of results.

mod entry;

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

pub use self::entry::Entry;
use self::entry::Unreadable;

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file is there and cannot be read.
    #[error("read {}", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// What is in a file is no entry: it was torn by a power cut, say.
    #[error("use {}", file.display())]
    Torn {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: Unreadable,
    },
    /// A file cannot be written.
    #[error("write {}", file.display())]
    Write {
        /// The file or folder.
        file: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// A file cannot be removed.
    #[error("remove {}", file.display())]
    Remove {
        /// The file.
        file: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

impl Fault for CacheError {
    fn code(&self) -> Code {
        match self {
            Self::Read { .. } | Self::Write { .. } | Self::Remove { .. } => Code::IO,
            Self::Torn { .. } => Code::DECODING,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Torn { .. }).then(|| "DEL removes the file; ADD makes a new one".to_owned())
    }
}

/// The cache: one file an attachment, `ROOT/results/NETWORK-CONTAINER-INTERFACE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Where every runtime keeps it by default.
    pub const SYSTEM: &'static str = "/var/lib/cni";

    /// The cache below `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of its files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.join("results")
    }

    fn file(&self, network: &NetworkName, attachment: &Attachment) -> PathBuf {
        let Attachment { container, interface } = attachment;
        self.folder().join(format!("{network}-{container}-{interface}"))
    }

    /// What is kept of an attachment.
    ///
    /// # Errors
    /// [`CacheError::Read`], [`CacheError::Torn`].
    pub fn find(&self, network: &NetworkName, attachment: &Attachment) -> Result<Option<Entry>, CacheError> {
        let file = self.file(network, attachment);
        let bytes = match fs::read(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CacheError::Read { file, source }),
            Ok(bytes) => bytes,
        };
        let entry = Entry::read(&bytes, Some((network, attachment)));
        entry.map(Some).map_err(|source| CacheError::Torn { file, source })
    }

    /// The attachments of a network, in the order of their file names. Files that are no entries, and those
    /// of the form that does not say whose they are, are passed over.
    ///
    /// # Errors
    /// [`CacheError::Read`] when the folder or a file in it cannot be read.
    pub fn of_network(&self, network: &NetworkName) -> Result<Vec<Entry>, CacheError> {
        let mut entries = self.beginning_with(&format!("{network}-"))?;
        // `a-b-c-eth0` may be container `b-c` of network `a` or `c` of `a-b`: the file itself knows.
        entries.retain(|entry| entry.network == *network);
        Ok(entries)
    }

    /// The attachments of all networks, as with [`of_network`](Self::of_network).
    ///
    /// # Errors
    /// [`CacheError::Read`] when the folder or a file in it cannot be read.
    pub fn all(&self) -> Result<Vec<Entry>, CacheError> {
        self.beginning_with("")
    }

    /// The attachments of a container, by the names of their files: no file is read, however many there are of others.
    /// Those of a container whose id is part of another's name may be among them; the files know.
    ///
    /// # Errors
    /// [`CacheError::Read`] when the folder cannot be read.
    pub fn of_container(
        &self,
        container: &ContainerId,
    ) -> Result<Vec<(NetworkName, Attachment)>, CacheError> {
        let middle = format!("-{container}-");
        let owner = |name: &OsString| {
            let (network, interface) = name.to_str()?.split_once(&middle)?;
            let interface = InterfaceName::new(interface).ok()?;
            Some((NetworkName::new(network).ok()?, Attachment::new(container.clone(), interface)))
        };
        Ok(self.names_beginning_with("")?.iter().filter_map(owner).collect())
    }

    /// The first attachment of a network that is meant; the others are not read. One that cannot be read is passed over.
    ///
    /// # Errors
    /// [`CacheError::Read`] when the folder cannot be read.
    pub fn first_of_network(
        &self,
        network: &NetworkName,
        is_meant: impl Fn(&Entry) -> bool,
    ) -> Result<Option<Entry>, CacheError> {
        let names = self.names_beginning_with(&format!("{network}-"))?;
        let mut entries = names.iter().filter_map(|name| {
            let bytes = fs::read(self.folder().join(name)).ok()?;
            Entry::read(&bytes, None).ok()
        });
        Ok(entries.find(|entry| entry.network == *network && is_meant(entry)))
    }

    fn names_beginning_with(&self, prefix: &str) -> Result<Vec<OsString>, CacheError> {
        let folder = self.folder();
        let read = |source| CacheError::Read { file: folder.clone(), source };
        let files = match folder.read_dir() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(read)?,
        };
        let mut names = Vec::new();
        for file in files {
            let name = file.map_err(read)?.file_name();
            if name.to_string_lossy().starts_with(prefix) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn beginning_with(&self, prefix: &str) -> Result<Vec<Entry>, CacheError> {
        let folder = self.folder();
        let names = self.names_beginning_with(prefix)?;
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let file = folder.join(name);
            match fs::read(&file) {
                Ok(bytes) => entries.extend(Entry::read(&bytes, None).ok()),
                // It has gone meanwhile, or is no file.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {}
                // It may be an attachment that stands, which must not be taken for none.
                Err(source) => return Err(CacheError::Read { file, source }),
            }
        }
        Ok(entries)
    }

    /// Keeps `entry`; what was kept of the same attachment is replaced.
    ///
    /// The file appears whole or not at all as long as the machine runs. It is not forced to the disk: a
    /// machine that loses power loses the attachment, too, and a torn file is known for what it is.
    ///
    /// # Errors
    /// [`CacheError::Write`].
    pub fn write(&self, entry: &Entry) -> Result<(), CacheError> {
        let folder = self.folder();
        let write = |file: &Path| {
            let file = file.to_owned();
            move |source| CacheError::Write { file, source }
        };
        ensure_folder(&self.root, 0o755).map_err(write(&self.root))?;
        ensure_folder(&folder, 0o700).map_err(write(&folder))?;
        let file = self.file(&entry.network, &entry.attachment);
        let beside = beside(&file);
        let bytes = entry.bytes().map_err(io::Error::from).map_err(write(&file))?;
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&beside);
        opened.and_then(|mut opened| opened.write_all(&bytes)).map_err(write(&beside))?;
        fs::rename(&beside, &file).map_err(write(&file))
    }

    /// Forgets an attachment; one that is not kept is fine.
    ///
    /// # Errors
    /// [`CacheError::Remove`].
    pub fn remove(&self, network: &NetworkName, attachment: &Attachment) -> Result<(), CacheError> {
        let file = self.file(network, attachment);
        for file in [beside(&file), file] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(|source| CacheError::Remove { file, source })?,
            }
        }
        Ok(())
    }
}

/// Where a file is written before it gets its name: no network's name begins with a dot, and since the name
/// is always the same, DEL finds what a killed ADD left.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}"))
}

fn ensure_folder(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

#[cfg(test)]
mod tests;
