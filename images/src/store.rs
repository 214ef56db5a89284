//! Where images lie on this machine, and how several programs share that place.
//!
//! ```text
//! ROOT/images/HEX.json       an image: its configuration, byte for byte, so that its digest is its name
//! ROOT/layers/HEX/layer.json what is known of a layer
//! ROOT/layers/HEX/blob       the archive that it came in, byte for byte
//! ROOT/layers/HEX/root/      its files, as overlayfs stacks them
//! ROOT/names.json            which name means which image
//! ROOT/tmp/…                 what is being made or removed; locked by whoever does so
//! ROOT/lock                  locked while what is above changes
//! ```
//!
//! Whatever lies outside `tmp` is whole: it appears by one rename, under the lock, and goes by one.

use crate::configuration::{Configuration, Step};
use crate::digest::{DiffId, Digest, ImageId};
use crate::packed::Compression;
use crate::reference::Reference;
use crate::staging::Staging;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The store cannot be read or written, or does not have what was asked for.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("{action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("understand {}", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("find an image named {wanted}: there is none on this machine")]
    NotFound { wanted: String },
    #[error("find an image by {wanted}: {count} images have an id that begins so")]
    Ambiguous { wanted: String, count: usize },
    #[error("find layer {layer} of image {image}: it is gone")]
    NoLayer { layer: DiffId, image: ImageId },
}

impl Error {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("images belong to root".into())
            }
            Self::Damaged { .. } | Self::NoLayer { .. } => {
                Some("remove the image and load it again: somebody else changed the store".into())
            }
            Self::Ambiguous { .. } => Some("give more digits of the id".into()),
            _ => None,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What is known of a layer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// The digest of its uncompressed archive: its name.
    pub diff_id: DiffId,
    /// The digest of the archive that it came in, which is kept.
    pub blob: Digest,
    /// The size of that.
    pub blob_size: u64,
    /// How that is compressed.
    pub compression: Compression,
    /// Bytes that its files hold.
    pub bytes: u64,
    /// Entries of its archive.
    pub entries: u64,
}

/// An image of this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its name for good.
    pub id: ImageId,
    /// Its names for people; none where another image has taken them over.
    pub names: Vec<Reference>,
    /// What it says of itself.
    pub configuration: Configuration,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Bytes that the files of its layers hold.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }

    /// The steps that made it, newest first, each with its layer if it has one.
    #[must_use]
    pub fn history(&self) -> Vec<(&Step, Option<&Layer>)> {
        let mut layers = self.layers.iter();
        let steps = self.configuration.history.iter();
        let mut told: Vec<_> =
            steps.map(|step| (step, if step.empty_layer { None } else { layers.next() })).collect();
        told.reverse();
        told
    }
}

/// While this lives, no image is named, added or removed; several programs may hold one. Its holder must not do so
/// either: he would wait for himself.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Hold {
    _lock: File,
}

/// The images of this machine, below one folder.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Where the store is unless somebody says otherwise.
    pub const ROOT: &str = "/var/lib/netctl";

    /// The store below a folder, made where it is missing.
    ///
    /// # Errors
    /// The folders cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Self { root: root.into() };
        // Layers have programs that act as root for whoever starts them: only root may come near.
        for folder in [store.images_dir(), store.layers_dir(), store.tmp_dir()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(Error::io("make folder", &folder))?;
        }
        Ok(store)
    }

    pub(crate) fn images_dir(&self) -> PathBuf {
        self.root.join("images")
    }
    pub(crate) fn layers_dir(&self) -> PathBuf {
        self.root.join("layers")
    }
    pub(crate) fn tmp_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }
    pub(crate) fn layer_dir(&self, layer: &DiffId) -> PathBuf {
        self.layers_dir().join(layer.hex())
    }
    pub(crate) fn image_file(&self, image: &ImageId) -> PathBuf {
        self.images_dir().join(format!("{}.json", image.hex()))
    }
    fn names_file(&self) -> PathBuf {
        self.root.join("names.json")
    }

    fn lock_file(&self) -> Result<(File, PathBuf), Error> {
        let path = self.root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        Ok((file.map_err(Error::io("open", &path))?, path))
    }

    /// Waits until nobody changes the store, and keeps it as it is. Whoever is about to use an image takes this first, and
    /// lets go when those who remove images can see the use.
    ///
    /// # Errors
    /// The lock cannot be had.
    pub fn hold(&self) -> Result<Hold, Error> {
        let (file, path) = self.lock_file()?;
        file.lock_shared().map_err(Error::io("lock", &path))?;
        Ok(Hold { _lock: file })
    }

    /// Waits for one's turn to change the store.
    pub(crate) fn turn(&self) -> Result<Hold, Error> {
        let (file, path) = self.lock_file()?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(Hold { _lock: file })
    }

    pub(crate) fn names(&self) -> Result<BTreeMap<Reference, ImageId>, Error> {
        let path = self.names_file();
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|source| Error::Damaged { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(source) => Err(Error::Io { action: "read", path, source }),
        }
    }

    /// Writes the names anew; to be called in one's turn.
    pub(crate) fn set_names(&self, names: &BTreeMap<Reference, ImageId>) -> Result<(), Error> {
        let path = self.names_file();
        let mut text = serde_json::to_vec_pretty(names)
            .map_err(|source| Error::Damaged { path: path.clone(), source })?;
        text.push(b'\n');
        let staging = Staging::begin_in_turn(self)?;
        let draft = staging.write("names", &text)?;
        fs::rename(&draft, &path).map_err(Error::io("replace", &path))?;
        sync_folder(&self.root)
    }

    /// All images, with their names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn images(&self) -> Result<Vec<Image>, Error> {
        let _hold = self.hold()?;
        self.ids()?.into_iter().map(|id| self.read_image(id)).collect()
    }

    pub(crate) fn ids(&self) -> Result<Vec<ImageId>, Error> {
        let id = |name: &str| name.strip_suffix(".json").and_then(Digest::from_hex).map(ImageId);
        Ok(list(&self.images_dir())?.iter().filter_map(|name| id(name)).collect())
    }

    /// The image that people mean by a name, an id or the beginning of one.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn find(&self, wanted: &str) -> Result<Image, Error> {
        let _hold = self.hold()?;
        let (id, _) = self.resolve(wanted)?;
        self.read_image(id)
    }

    /// Which image is meant, and by which of its names, if by one; to be called under a lock.
    pub(crate) fn resolve(&self, wanted: &str) -> Result<(ImageId, Option<Reference>), Error> {
        let names = self.names()?;
        if let Ok(name) = wanted.parse::<Reference>()
            && let Some(id) = names.get(&name)
        {
            return Ok((*id, Some(name)));
        }
        let not_found = || Error::NotFound { wanted: wanted.to_owned() };
        let (digits, is_id) = wanted.strip_prefix("sha256:").map_or((wanted, false), |digits| (digits, true));
        let is_digits = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !is_digits || digits.is_empty() || (digits.len() < 4 && !is_id) {
            return Err(not_found());
        }
        let found: Vec<ImageId> = self.ids()?.into_iter().filter(|id| id.hex().starts_with(digits)).collect();
        match found[..] {
            [] => Err(not_found()),
            [id] => Ok((id, None)),
            _ => Err(Error::Ambiguous { wanted: wanted.to_owned(), count: found.len() }),
        }
    }

    /// To be called under a lock.
    pub(crate) fn read_image(&self, id: ImageId) -> Result<Image, Error> {
        let (configuration, _) = self.configuration(&id)?;
        let layer = |layer: &DiffId| self.layer(layer)?.ok_or(Error::NoLayer { layer: *layer, image: id });
        let layers = configuration.rootfs.diff_ids.iter().map(layer).collect::<Result<_, _>>()?;
        let names =
            self.names()?.into_iter().filter(|(_, named)| *named == id).map(|(name, _)| name).collect();
        Ok(Image { id, names, configuration, layers })
    }

    /// What an image says of itself, and the bytes in which it does.
    pub(crate) fn configuration(&self, id: &ImageId) -> Result<(Configuration, Vec<u8>), Error> {
        let path = self.image_file(id);
        let text = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound { wanted: id.to_string() },
            _ => Error::Io { action: "read", path: path.clone(), source },
        })?;
        let read = serde_json::from_slice(&text).map_err(|source| Error::Damaged { path, source })?;
        Ok((read, text))
    }

    /// What is known of a layer, if it is here.
    pub(crate) fn layer(&self, layer: &DiffId) -> Result<Option<Layer>, Error> {
        let path = self.layer_dir(layer).join("layer.json");
        match fs::read(&path) {
            Ok(text) => {
                serde_json::from_slice(&text).map(Some).map_err(|source| Error::Damaged { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { action: "read", path, source }),
        }
    }

    /// The bytes of an image's own file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn raw_configuration(&self, id: &ImageId) -> Result<Vec<u8>, Error> {
        Ok(self.configuration(id)?.1)
    }

    /// The folders that overlayfs stacks for an image, topmost first, each once: of a layer that an image has twice only
    /// the upper one can be seen, and the kernel refuses a folder that is there twice.
    #[must_use]
    pub fn lower_dirs(&self, image: &Image) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let layers = image.layers.iter().rev().filter(|layer| seen.insert(layer.diff_id));
        layers.map(|layer| self.layer_dir(&layer.diff_id).join("root")).collect()
    }

    /// Gives an image one more name, which another loses that had it. Returns that one.
    ///
    /// # Errors
    /// There is no such image, or the name cannot be written.
    pub fn tag(&self, wanted: &str, name: Reference) -> Result<Option<ImageId>, Error> {
        let _turn = self.turn()?;
        let (id, _) = self.resolve(wanted)?;
        let mut names = self.names()?;
        let former = names.insert(name, id);
        if former != Some(id) {
            self.set_names(&names)?;
        }
        Ok(former.filter(|former| *former != id))
    }
}

/// The names in a folder, in order. What is no text is none of ours.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let entry = entry.map_err(Error::io("list", folder))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// Lets what was renamed in a folder survive a loss of power.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::io("write to disk", folder))
}
