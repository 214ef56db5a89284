//! Files between the host and a container, whether it runs or not.
//!
//! What stands in a container is hostile: a link in it leads to where it leads in the container, and nothing of it is
//! followed below what was named.

mod error;
mod tree;

use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use launch::RootFs;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

pub use error::CopyError;

use crate::{Container, Engine, Status};

/// One side of a copy.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// The host's, by the path from where this process is.
    Host(&'a Path),
    /// A container's, by the path from its root.
    Container(&'a Container, &'a Path),
}

impl Side<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::Host(path) | Self::Container(_, path) => path,
        }
    }
}

/// The root from which paths of one side count, and whether links may lead out of it.
struct Place {
    root: OwnedFd,
    is_container: bool,
    path: PathBuf,
}

impl Engine {
    /// Copies a file, or a folder with all that is in it. A folder that is there gets it under its name; `SOURCE/.` is what
    /// is in the folder. Owners, modes and times are kept.
    ///
    /// # Errors
    /// [`CopyError`]; what has been copied stays.
    pub fn copy(&self, from: Side<'_>, to: Side<'_>) -> Result<(), CopyError> {
        let (source, target) = (self.place(from)?, self.place(to)?);
        let (parent, name) = source.open_parent()?;
        // A link is copied as what it is.
        let what = statat(&parent, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(source.failed("find"))?;
        let is_folder = FileType::from_raw_mode(what.st_mode) == FileType::Directory;
        let text = to.path().as_os_str().to_string_lossy().into_owned();
        let wants_folder = text.ends_with('/') || text.ends_with("/.");
        let content_only = from.path().as_os_str().to_string_lossy().ends_with("/.");
        let own_name = || source.path.file_name().map(ToOwned::to_owned).unwrap_or_default();
        let (into, new_name) = match target.open_folder() {
            Ok(folder) if content_only && is_folder => {
                return tree::copy_content((&parent, &name), &folder, &source.path);
            }
            Ok(folder) => (folder, own_name()),
            Err(Errno::NOENT) if wants_folder && !is_folder => {
                return Err(target.failed("find folder")(Errno::NOENT));
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {
                let (folder, name) = target.open_parent()?;
                let is_file = statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
                if is_file && is_folder {
                    return Err(target.failed("copy a folder onto file")(Errno::NOTDIR));
                }
                (folder, name)
            }
            Err(error) => return Err(target.failed("open")(error)),
        };
        tree::copy((&parent, &name), (&into, &new_name), &source.path)
    }

    fn place(&self, side: Side<'_>) -> Result<Place, CopyError> {
        match side {
            Side::Host(path) => {
                let path =
                    std::path::absolute(path).map_err(|source| CopyError::new("find", path, source))?;
                Ok(Place { root: root_of("/")?, is_container: false, path })
            }
            Side::Container(container, path) => {
                let state = self.state(container)?;
                let root = match (state.status, state.pid) {
                    (Status::Running | Status::Paused, Some(pid)) => root_of(&format!("/proc/{pid}/root"))?,
                    _ => {
                        let lower = self.lower(container.config())?;
                        let (upper, work) = (container.folder().upper(), container.folder().work());
                        launch::view(RootFs::Overlay {
                            lower: &lower,
                            upper: &upper,
                            work: &work,
                            volatile: false,
                        })?
                    }
                };
                Ok(Place { root, is_container: true, path: Path::new("/").join(path) })
            }
        }
    }
}

fn root_of(path: &str) -> Result<OwnedFd, CopyError> {
    let root = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    root.map_err(|error| CopyError::new("open", Path::new(path), error.into()))
}

impl Place {
    fn failed(&self, doing: &'static str) -> impl FnOnce(Errno) -> CopyError + use<> {
        let path = self.path.clone();
        move |error| CopyError::new(doing, &path, error.into())
    }

    /// What `path` leads to, within the container if it is one.
    fn open(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = match self.is_container {
            true => ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
            false => ResolveFlags::empty(),
        };
        let relative = path.strip_prefix("/").unwrap_or(path);
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        openat2(&self.root, relative, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    fn open_folder(&self) -> rustix::io::Result<OwnedFd> {
        self.open(&self.path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// The folder that it is in, and its name there.
    fn open_parent(&self) -> Result<(OwnedFd, std::ffi::OsString), CopyError> {
        let (parent, name) = match (self.path.parent(), self.path.components().next_back()) {
            (Some(parent), Some(Component::Normal(name))) => (parent, name.to_owned()),
            _ => (self.path.as_path(), ".".into()),
        };
        let folder = self
            .open(parent, OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(self.failed("open the folder of"))?;
        Ok((folder, name))
    }
}
