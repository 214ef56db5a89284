//! What happens in the directory of named namespaces, as it happens.

use std::io;
use std::path::PathBuf;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent};

use crate::{Directory, Name, directory};

/// Why the directory cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no directory, and none can be made.
    #[error("watch network namespaces")]
    Directory {
        /// What is wrong with it.
        #[from]
        source: directory::Error,
    },
    /// The kernel does not tell.
    #[error("watch network namespaces in {}", path.display())]
    Watch {
        /// The directory.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The directory is not there any more.
    #[error("watch network namespaces in {}: the directory has been removed", path.display())]
    Removed {
        /// The directory.
        path: PathBuf,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A name was made. Its namespace is mounted a moment later.
    Added(Name),
    /// A name was deleted.
    Deleted(Name),
    /// More happened at once than the kernel remembers: some events are missing here.
    Missed,
}

/// A watch over a directory; it knows everything since it was [started](Self::start).
#[derive(Debug)]
pub struct Watch {
    inotify: Inotify,
    path: PathBuf,
}

impl Watch {
    /// Starts to watch. A directory that is not there yet is made, so that its first namespace is seen.
    ///
    /// # Errors
    /// [`Error::Directory`], [`Error::Watch`].
    pub fn start(directory: &Directory) -> Result<Self, Error> {
        directory.ensure()?;
        let path = directory.path().to_owned();
        let start = || {
            let inotify = Inotify::init(InitFlags::IN_CLOEXEC)?;
            inotify.add_watch(&path, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_DELETE)?;
            Ok(inotify)
        };
        match start() {
            Ok(inotify) => Ok(Self { inotify, path }),
            Err(source) => Err(Error::Watch { path, source }),
        }
    }

    /// Waits until something happens, and tells it in the order in which it happened.
    ///
    /// # Errors
    /// [`Error::Watch`], [`Error::Removed`].
    pub fn wait(&self) -> Result<Vec<Event>, Error> {
        loop {
            let events = self.inotify.read_events();
            let events =
                events.map_err(|errno| Error::Watch { path: self.path.clone(), source: errno.into() })?;
            if events.iter().any(|event| event.mask.contains(AddWatchFlags::IN_IGNORED)) {
                return Err(Error::Removed { path: self.path.clone() });
            }
            let events: Vec<Event> = events.into_iter().filter_map(event).collect();
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }
}

fn event(event: InotifyEvent) -> Option<Event> {
    if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
        return Some(Event::Missed);
    }
    let name = Name::new(event.name?).ok()?;
    match event.mask.contains(AddWatchFlags::IN_CREATE) {
        true => Some(Event::Added(name)),
        false => Some(Event::Deleted(name)),
    }
}
