//! The folder of network configurations, and the files in it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use serde_json::Value;

use crate::list::Draft;
use crate::runtime::in_full;
use crate::{List, ListError, PluginConfig, Reason};

/// A file of the folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("read {}", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// It does not say what it should.
    #[error("use {}", file.display())]
    List {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: ListError,
    },
}

impl FileError {
    /// Whether the file was removed after the folder was read: then it is no file that cannot be used, but none. A link that
    /// leads nowhere is still there.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let is_missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
        match self {
            Self::Read { file, source } if is_missing(source) => {
                file.symlink_metadata().is_err_and(|error| is_missing(&error))
            }
            Self::Read { .. } | Self::List { .. } => false,
        }
    }

    /// The file, or the folder that belongs to one.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Read { file, .. } | Self::List { file, .. } => file,
        }
    }
}

impl Fault for FileError {
    fn code(&self) -> Code {
        match self {
            Self::Read { .. } => Code::IO,
            Self::List { source, .. } => source.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::List { source, .. } => source.hint(),
        }
    }
}

/// Why a network is not found.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder cannot be read.
    #[error("list {}", folder.display())]
    List {
        /// The folder.
        folder: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// No file has a network of that name.
    #[error("find network {name:?} in {}{}", folder.display(), told(broken))]
    NotFound {
        /// The name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The networks that are there.
        known: Vec<String>,
        /// The files that could not be used: it may be in one of them.
        broken: Vec<FileError>,
    },
}

/// The files that could not be used, as the end of a sentence.
fn told(broken: &[FileError]) -> String {
    let texts = broken.iter().map(|error| format!("; could not {}", in_full(error)));
    texts.collect()
}

impl Fault for FolderError {
    fn code(&self) -> Code {
        match self {
            Self::List { .. } => Code::IO,
            Self::NotFound { .. } => Code::INVALID_CONFIG,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::List { .. } => None,
            Self::NotFound { known, folder, .. } if known.is_empty() => {
                Some(format!("there is no network in {}", folder.display()))
            }
            Self::NotFound { known, .. } => Some(format!("the networks there are {}", known.join(", "))),
        }
    }
}

/// A folder of network configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// Where every runtime looks by default.
    pub const SYSTEM: &'static str = "/etc/cni/net.d";

    /// The folder at `path`. Without one there are no networks.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The network called `name`: the first in the order of [`lists`](Self::lists). A file that cannot be
    /// used is passed over, and told of only when no other has the network.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn find(&self, name: &str) -> Result<List, FolderError> {
        let (mut known, mut broken) = (Vec::new(), Vec::new());
        for file in self.files()? {
            match List::from_file(&file) {
                Ok(list) if list.name().as_str() == name => return Ok(list),
                Ok(list) => known.push(list.name().to_string()),
                Err(error) if error.is_gone() => {}
                Err(error) => broken.push(error),
            }
        }
        Err(FolderError::NotFound { name: name.to_owned(), folder: self.0.clone(), known, broken })
    }

    /// Finds out whether the folder still has a list that was read from it, word for word.
    ///
    /// # Errors
    /// [`Reason::Folder`], when there is none of its name any more, [`Reason::Replaced`], when there is another.
    pub fn confirm(&self, list: &List) -> Result<(), Reason> {
        let now = self.find(list.name().as_str())?;
        if now.bytes() == list.bytes() { Ok(()) } else { Err(Reason::Replaced) }
    }

    /// Every file in order: lists before single plugins, each in the order of their file names.
    ///
    /// # Errors
    /// [`FolderError::List`] when the folder itself cannot be read; what is wrong with a file stands in its place.
    pub fn lists(&self) -> Result<Vec<Result<List, FileError>>, FolderError> {
        let lists = self.files()?.into_iter().map(|file| List::from_file(&file));
        Ok(lists.filter(|list| !list.as_ref().is_err_and(FileError::is_gone)).collect())
    }

    /// The files themselves, in the order of [`lists`](Self::lists).
    ///
    /// # Errors
    /// [`FolderError::List`].
    pub fn files(&self) -> Result<Vec<PathBuf>, FolderError> {
        let list = |source| FolderError::List { folder: self.0.clone(), source };
        let mut files = files_in(&self.0, &["conflist"]).map_err(list)?;
        files.extend(files_in(&self.0, &["conf", "json"]).map_err(list)?);
        Ok(files)
    }
}

/// The files in `folder` with one of the extensions, by name. No folder, no files.
fn files_in(folder: &Path, extensions: &[&str]) -> io::Result<Vec<PathBuf>> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let is_wanted =
        |file: &PathBuf| extensions.iter().any(|wanted| file.extension() == Some(OsStr::new(wanted)));
    let mut files = Vec::new();
    for entry in entries {
        let file = entry?.path();
        if is_wanted(&file) && is_read(&file)? {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file is to be read: folders are none, and a FIFO would keep whoever reads it waiting. What cannot be looked at
/// may be one, and is not taken for nothing; a link that leads nowhere is told of by whoever reads it.
fn is_read(file: &Path) -> io::Result<bool> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

impl List {
    /// Reads a file: a list and the plugins in the folder beside it that bears the network's name, or the
    /// configuration of a single plugin.
    ///
    /// # Errors
    /// [`FileError`] that names the file, be it the list itself or one of a plugin.
    pub fn from_file(file: &Path) -> Result<Self, FileError> {
        let bytes = read(file)?;
        let wrong = |source| FileError::List { file: file.to_owned(), source };
        if is_single(file, &bytes) {
            return Self::parse_single(&bytes).map_err(wrong);
        }
        let draft = Draft::parse(bytes).map_err(wrong)?;
        let further = match draft.takes_folder {
            true => read_folder(&file.with_file_name(draft.name().as_str()))?,
            false => Vec::new(),
        };
        draft.complete(further).map_err(wrong)
    }
}

/// Whether a file holds a single plugin. The name decides as long as it can; a `.json` or `.conf` that lists
/// plugins is a list all the same.
fn is_single(file: &Path, bytes: &[u8]) -> bool {
    let has_plugins = || match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => object.keys().any(|key| key.eq_ignore_ascii_case("plugins")),
        _ => false,
    };
    file.extension().is_some_and(|extension| extension == "conf" || extension == "json") && !has_plugins()
}

fn read(file: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(file).map_err(|source| FileError::Read { file: file.to_owned(), source })
}

fn read_folder(folder: &Path) -> Result<Vec<PluginConfig>, FileError> {
    let list = |source| FileError::Read { file: folder.to_owned(), source };
    files_in(folder, &["conf"]).map_err(list)?.iter().map(|file| read_plugin(file)).collect()
}

fn read_plugin(file: &Path) -> Result<PluginConfig, FileError> {
    let wrong = |source| FileError::List { file: file.to_owned(), source };
    let value = serde_json::from_slice(&read(file)?).map_err(ListError::NotJson).map_err(wrong)?;
    PluginConfig::read(value).map_err(wrong)
}

#[cfg(test)]
mod tests;
