//! The containers on this machine, by id and by name.
//!
//! A container is a folder that appears and disappears by one rename; a name is a link to it, so that finding one of a
//! thousand reads one. Links are a short cut: a name is what the container's own file says, and where the two disagree, as
//! after a kill between two steps, the file counts.

mod error;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub use error::{FindError, StoreError};

use crate::files::{self, FileError};
use crate::{Config, Folder, Id, Name, Places, State, Status};

/// The containers on this machine.
#[derive(Debug, Clone)]
pub struct Store {
    places: Places,
}

/// A container: its folder, and what was asked of it.
#[derive(Debug, Clone)]
pub struct Container {
    config: Config,
    folder: Folder,
}

impl Container {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &Id {
        &self.config.id
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.config.name
    }

    /// What was asked of it.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Its files.
    #[must_use]
    pub const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What its file says became of it. Its monitor may have been killed since.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn written_state(&self) -> Result<State, FileError> {
        let state: State = match files::read(&self.folder.state()) {
            // It has never been started; unless it is gone altogether.
            Err(error) if error.is_absence() && self.folder.path().is_dir() => return Ok(State::default()),
            state => state?,
        };
        if state.status != Status::Starting {
            return Ok(state);
        }
        match files::read(&self.folder.live_state()) {
            Err(error) if error.is_absence() => Ok(state),
            live => live,
        }
    }
}

/// Nobody else starts, renames or removes the container meanwhile.
#[derive(Debug)]
pub(crate) struct Turn(#[allow(dead_code, reason = "it is a lock that ends with it")] File);

impl Store {
    /// The containers below `places`; there may be none yet.
    #[must_use]
    pub const fn new(places: Places) -> Self {
        Self { places }
    }

    /// Where they are.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Keeps a new container; it is there whole, or not at all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn create(&self, config: Config) -> Result<Container, StoreError> {
        let folder = self.places.container(&config.id);
        files::ensure_folder(&self.places.containers(), 0o700)?;
        files::ensure_folder(&self.places.names(), 0o700)?;
        let _lock = self.lock()?;
        if let Some(other) = self.named(&config.name)? {
            return Err(StoreError::NameTaken { name: config.name, by: other.config.id });
        }
        // Whoever made one of that name was killed: the lock is held here.
        let unfinished = folder.path().with_extension("new");
        files::remove_folder(&unfinished)?;
        let made = fill(&unfinished, &config).and_then(|()| {
            fs::rename(&unfinished, folder.path()).map_err(FileError::new("create folder", folder.path()))
        });
        let made =
            made.and_then(|()| self.link(&config).inspect_err(|_| drop(files::remove_folder(folder.path()))));
        if let Err(error) = made {
            let _ = files::remove_folder(&unfinished);
            return Err(error.into());
        }
        Ok(Container { config, folder })
    }

    /// The container of that name, that id, or whose id begins so.
    ///
    /// # Errors
    /// [`FindError`].
    pub fn find(&self, wanted: &str) -> Result<Container, FindError> {
        if let Ok(id) = Id::new(wanted)
            && let Some(container) = self.get(&id)?
        {
            return Ok(container);
        }
        if let Ok(name) = Name::new(wanted)
            && let Some(container) = self.named(&name)?
        {
            return Ok(container);
        }
        let is_prefix = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ids = self.ids()?;
        let mut begun = ids.iter().filter(|id| is_prefix && id.as_str().starts_with(wanted));
        match (begun.next(), begun.next()) {
            (Some(id), None) => self.get(id)?.ok_or_else(|| self.absent(wanted)),
            (Some(_), Some(_)) => Err(FindError::Several { prefix: wanted.to_owned() }),
            (None, _) => Err(self.absent(wanted)),
        }
    }

    /// The container of that id.
    ///
    /// # Errors
    /// [`FileError`] if it is there and cannot be read.
    pub fn get(&self, id: &Id) -> Result<Option<Container>, FileError> {
        let folder = self.places.container(id);
        match files::read(&folder.config()) {
            Ok(config) => Ok(Some(Container { config, folder })),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every container, and the files that cannot be read; the newest first.
    ///
    /// # Errors
    /// [`FileError`] of the folder.
    pub fn list(&self) -> Result<(Vec<Container>, Vec<FileError>), FileError> {
        let (mut containers, mut broken) = (Vec::new(), Vec::new());
        for id in self.ids()? {
            match self.get(&id) {
                Ok(found) => containers.extend(found),
                Err(error) => broken.push(error),
            }
        }
        containers.sort_by(|a, b| b.config.created.cmp(&a.config.created));
        Ok((containers, broken))
    }

    /// The ids of all containers.
    ///
    /// # Errors
    /// [`FileError`] of the folder.
    pub fn ids(&self) -> Result<Vec<Id>, FileError> {
        let paths = entries_of(&self.places.containers())?;
        Ok(paths.iter().filter_map(|path| Id::new(path.file_name()?.to_str()?).ok()).collect())
    }

    /// Waits until nobody else starts, renames or removes a container.
    pub(crate) fn turn(&self, container: &Container) -> Result<Turn, FileError> {
        let path = container.folder.turn();
        let file = files::open_lock(&path)?;
        file.lock().map_err(FileError::new("lock", &path))?;
        Ok(Turn(file))
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// [`StoreError`]; it then has the name that it had.
    pub fn rename(&self, container: &Container, name: Name) -> Result<(), StoreError> {
        let _turn = self.turn(container)?;
        let _lock = self.lock()?;
        if let Some(other) = self.named(&name)? {
            return Err(StoreError::NameTaken { name, by: other.config.id });
        }
        // Somebody may have renamed it since it was found.
        let current: Config = files::read(&container.folder.config())?;
        let names = self.places.names();
        let (old, new) = (names.join(current.name.as_str()), names.join(name.as_str()));
        let config = Config { name, ..current };
        // The link first: one that leads to a container of another name is no name, but a name without a link would be free.
        self.link(&config)?;
        files::write(&container.folder.config(), &config).inspect_err(|_| drop(files::remove_file(&new)))?;
        Ok(files::remove_file(&old)?)
    }

    /// Removes the files of a container that does not run; one that is not there is fine.
    ///
    /// # Errors
    /// [`FileError`]; the next attempt begins with the same.
    pub fn remove(&self, container: &Container) -> Result<(), FileError> {
        let path = container.folder.path();
        {
            let _lock = self.lock()?;
            let doomed = path.with_extension("gone");
            // One of that name was left by somebody who was killed.
            files::remove_folder(&doomed)?;
            match fs::rename(path, &doomed) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => renamed.map_err(FileError::new("remove folder", path))?,
            }
            let link = self.places.names().join(container.name().as_str());
            if fs::read_link(&link).is_ok_and(|to| to == Path::new(container.id().as_str())) {
                files::remove_file(&link)?;
            }
        }
        files::remove_folder(&path.with_extension("gone"))
    }

    /// Removes what killed programs left half made or half removed.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn sweep(&self) -> Result<(), FileError> {
        if !self.places.containers().is_dir() {
            return Ok(());
        }
        let _lock = self.lock()?;
        for path in entries_of(&self.places.containers())? {
            if path.extension().is_some_and(|extension| extension == "new" || extension == "gone") {
                files::remove_folder(&path)?;
            }
        }
        for link in entries_of(&self.places.names())? {
            let to = fs::read_link(&link).unwrap_or_default();
            if !self.places.containers().join(to).is_dir() {
                files::remove_file(&link)?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<File, FileError> {
        let path = self.places.containers().join("lock");
        let file = files::open_lock(&path)?;
        file.lock().map_err(FileError::new("lock", &path))?;
        Ok(file)
    }

    fn link(&self, config: &Config) -> Result<(), FileError> {
        let link = self.places.names().join(config.name.as_str());
        // What is there leads to nobody of that name: that was asked under the lock.
        files::remove_file(&link)?;
        symlink(config.id.as_str(), &link).map_err(FileError::new("create link", &link))
    }

    fn named(&self, name: &Name) -> Result<Option<Container>, FileError> {
        let link = self.places.names().join(name.as_str());
        let linked = fs::read_link(&link).ok().and_then(|to| Id::new(to.to_str()?).ok());
        if let Some(id) = linked
            && let Some(container) = self.get(&id)?
            && container.config.name == *name
        {
            return Ok(Some(container));
        }
        if linked_all(&self.places.names(), &self.ids()?) {
            return Ok(None);
        }
        Ok(self.list()?.0.into_iter().find(|container| container.config.name == *name))
    }

    fn absent(&self, wanted: &str) -> FindError {
        let names = fs::read_dir(self.places.names()).map(|entries| {
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            names.collect::<Vec<_>>()
        });
        FindError::new(wanted, names.unwrap_or_default())
    }
}

/// Whether as many names lead to containers as there are containers: then the links can be believed.
fn linked_all(names: &Path, ids: &[Id]) -> bool {
    let Ok(entries) = fs::read_dir(names) else { return ids.is_empty() };
    let known: std::collections::HashSet<&str> = ids.iter().map(Id::as_str).collect();
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let linked: std::collections::HashSet<PathBuf> =
        targets.filter(|to| to.to_str().is_some_and(|to| known.contains(to))).collect();
    linked.len() == ids.len()
}

/// What is in a folder; nothing, if that is not there.
fn entries_of(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(FileError::new("read folder", path))?,
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    paths.collect::<io::Result<_>>().map_err(FileError::new("read folder", path))
}

fn fill(path: &Path, config: &Config) -> Result<(), FileError> {
    // For root alone: programs that act as root for whoever starts them may lie below.
    files::create_folder(path, 0o700)?;
    for name in ["upper", "work"] {
        files::create_folder(&path.join(name), 0o755)?;
    }
    files::write_new(&path.join("config.json"), config)
}
