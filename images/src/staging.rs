//! A folder below `tmp` for what is being made or removed. It is locked as long as its maker lives: one that is not is
//! rubbish that a killed program left.

use crate::beneath::remove_all;
use crate::digest::{DiffId, Digest, ImageId};
use crate::reference::Reference;
use crate::store::{Error, Layer, Store, list, sync_folder};
use rustix::fs::Mode;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Notes that a layer which is there must stay until what is being made is done.
const PIN: &str = "pin-";

/// An image that is whole once it has a name.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: ImageId,
    pub(crate) configuration: Vec<u8>,
    pub(crate) names: Vec<Reference>,
}

/// The folder; what is in it goes with the value.
pub(crate) struct Staging<'s> {
    store: &'s Store,
    path: PathBuf,
    /// Locked.
    _folder: File,
    files: AtomicU64,
}

impl<'s> Staging<'s> {
    pub(crate) fn begin(store: &'s Store) -> Result<Self, Error> {
        let _turn = store.turn()?;
        Self::begin_in_turn(store)
    }

    /// In one's turn, because between its making and its locking the folder looks like rubbish.
    pub(crate) fn begin_in_turn(store: &'s Store) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = store.tmp_dir().join(format!("{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                // A process of another time, or of another namespace, had this number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(Error::Io { action: "make folder", path, source }),
            }
            let folder = File::open(&path).and_then(|folder| folder.lock().map(|()| folder));
            let folder = folder.map_err(Error::io("lock", &path))?;
            return Ok(Self { store, path, _folder: folder, files: AtomicU64::new(0) });
        }
    }

    /// A path in the folder that nothing has.
    pub(crate) fn fresh(&self) -> PathBuf {
        self.path.join(format!("f{}", self.files.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn write(&self, name: &str, text: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(text)?;
            file.sync_all()
        };
        write().map_err(Error::io("write", &path))?;
        Ok(path)
    }

    fn layer_dir(&self, layer: &DiffId) -> PathBuf {
        self.path.join(layer.hex())
    }

    /// Whether a layer is here already: then it stays.
    pub(crate) fn pin(&self, layer: &DiffId) -> Result<bool, Error> {
        let _turn = self.store.turn()?;
        if self.store.layer(layer)?.is_none() {
            return Ok(false);
        }
        self.write(&format!("{PIN}{}", layer.hex()), b"")?;
        Ok(true)
    }

    /// A folder for a layer's files, whose name is not known yet.
    pub(crate) fn begin_layer(&self) -> Result<PathBuf, Error> {
        let path = self.fresh();
        let make = || {
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            fs::DirBuilder::new().mode(0o755).create(path.join("root"))
        };
        make().map_err(Error::io("make folder", &path))?;
        Ok(path)
    }

    /// Adds what belongs to a layer whose files are there.
    pub(crate) fn finish_layer(&self, folder: &Path, blob: &Path, layer: &Layer) -> Result<(), Error> {
        let kept = folder.join("blob");
        fs::hard_link(blob, &kept).map_err(Error::io("keep", &kept))?;
        let note = folder.join("layer.json");
        let text =
            serde_json::to_vec(layer).map_err(|source| Error::Damaged { path: note.clone(), source })?;
        fs::write(&note, text).map_err(Error::io("write", &note))?;
        let whole = self.layer_dir(&layer.diff_id);
        fs::rename(folder, &whole).map_err(Error::io("rename", &whole))
    }

    /// Makes all of it part of the store. Layers first, names last: whoever sees a name finds the rest.
    pub(crate) fn commit(self, layers: &[DiffId], images: &[Finished]) -> Result<(), Error> {
        // What was written must be on the disk before names say that it is whole.
        let synced = File::open(&self.path).and_then(|folder| Ok(rustix::fs::syncfs(&folder)?));
        synced.map_err(Error::io("write to disk", &self.path))?;
        {
            let _turn = self.store.turn()?;
            for layer in layers {
                let place = self.store.layer_dir(layer);
                match fs::rename(self.layer_dir(layer), &place) {
                    Err(error) if is_there(&error) => {}
                    result => result.map_err(Error::io("rename to", &place))?,
                }
            }
            sync_folder(&self.store.layers_dir())?;
            for image in images {
                let draft = self.write(&format!("{}.json", image.id.hex()), &image.configuration)?;
                let place = self.store.image_file(&image.id);
                fs::rename(&draft, &place).map_err(Error::io("rename to", &place))?;
            }
            sync_folder(&self.store.images_dir())?;
            let before = self.store.names()?;
            let mut names = before.clone();
            names.extend(
                images.iter().flat_map(|image| image.names.iter().map(|name| (name.clone(), image.id))),
            );
            if names != before {
                self.store.set_names(&names)?;
            }
        }
        self.end()
    }

    /// Takes a layer out of the store, in one's turn; it goes with this folder.
    pub(crate) fn take_layer(&self, layer: &DiffId) -> Result<(), Error> {
        let place = self.store.layer_dir(layer);
        fs::rename(&place, self.layer_dir(layer)).map_err(Error::io("take away", &place))
    }

    /// Removes the folder, and says if it cannot.
    pub(crate) fn end(self) -> Result<(), Error> {
        remove(&self.path)
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // If this fails, the next load tries again and says so.
        let _ = remove(&self.path);
    }
}

/// Another program loaded the same meanwhile.
fn is_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

fn remove(path: &Path) -> Result<(), Error> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let removed = rustix::fs::open(parent, flags, Mode::empty()).and_then(|parent| remove_all(&parent, name));
    removed.map_err(|error| Error::Io { action: "remove", path: path.to_owned(), source: error.into() })
}

/// Removes what killed programs left below `tmp`, in one's turn. Returns how many there were.
pub(crate) fn clear_abandoned(store: &Store) -> Result<usize, Error> {
    let mut count = 0;
    for name in list(&store.tmp_dir())? {
        let path = store.tmp_dir().join(&name);
        if !is_alive(&path)? {
            remove(&path)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The layers that somebody who is at work counts on; in one's turn.
pub(crate) fn pinned(store: &Store) -> Result<HashSet<DiffId>, Error> {
    let mut pinned = HashSet::new();
    for name in list(&store.tmp_dir())? {
        let path = store.tmp_dir().join(&name);
        if is_alive(&path)? {
            let names = match list(&path) {
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                names => names?,
            };
            let pin = |name: &String| name.strip_prefix(PIN).and_then(Digest::from_hex).map(DiffId);
            pinned.extend(names.iter().filter_map(pin));
        }
    }
    Ok(pinned)
}

fn is_alive(path: &Path) -> Result<bool, Error> {
    let folder = match File::open(path) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(Error::Io { action: "open", path: path.to_owned(), source }),
    };
    match folder.try_lock() {
        Ok(()) => Ok(false),
        Err(fs::TryLockError::WouldBlock) => Ok(true),
        Err(fs::TryLockError::Error(source)) => {
            Err(Error::Io { action: "lock", path: path.to_owned(), source })
        }
    }
}
