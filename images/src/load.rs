//! Archives become images: everything is read once, checked, unpacked below `tmp`, and then appears at once.

use crate::digest::{DiffId, Digest, Hashing, ImageId};
use crate::fault::{EntryName, Fault, RefusedEntry};
use crate::layout::{self, Found, LayoutError};
use crate::limits::{Limits, Meter};
use crate::packed;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::spool::{Spool, Spooled};
use crate::staging::{Finished, Staging, clear_abandoned};
use crate::store::{self, Layer, Store};
use crate::unpack::unpack;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where an archive comes from.
pub enum Source {
    /// A file, or a folder with an unpacked layout.
    Path(PathBuf),
    /// A stream that ends, and what people call it.
    Stream(Box<dyn Read>, String),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "Path({})", path.display()),
            Self::Stream(_, name) => write!(f, "Stream({name})"),
        }
    }
}

/// How to load.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// What may be read and written.
    pub limits: Limits,
    /// For which machine, where an archive has images for several.
    pub platform: Platform,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { limits: Limits::default(), platform: Platform::of_this_machine() }
    }
}

/// An image that was loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loaded {
    /// Which.
    pub id: ImageId,
    /// By which names; an archive may have none.
    pub names: Vec<Reference>,
}

/// An archive was not loaded. Nothing of it is in the store.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum LoadError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("open {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Layout(#[from] LayoutError),
    #[error(transparent)]
    Layer(#[from] RefusedEntry),
    #[error("check the content of {layer}: it is {found}, not {expected}")]
    WrongContent { layer: String, expected: DiffId, found: DiffId },
}

impl LoadError {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::WrongContent { .. } => {
                Some("the archive was damaged or changed: fetch or save it again".into())
            }
            Self::Open { .. } => None,
        }
    }
}

/// Opens what is a file; a folder is none.
pub(crate) fn open(path: &Path) -> Result<Option<File>, LoadError> {
    let failed = |source| LoadError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    Ok(if file.metadata().map_err(failed)?.is_dir() { None } else { Some(file) })
}

impl Store {
    /// Loads all images of an archive: of `docker save`, old or new, or an OCI layout; as a file, a folder or a stream;
    /// compressed or not.
    ///
    /// # Errors
    /// The archive is damaged, hostile or no archive, or the store cannot be written: then nothing of it stays.
    pub fn load(&self, source: Source, options: &LoadOptions) -> Result<Vec<Loaded>, LoadError> {
        {
            let _turn = self.turn()?;
            clear_abandoned(self)?;
        }
        let meter = Meter::new(options.limits);
        let staging = Staging::begin(self)?;
        let mut spool = match source {
            Source::Path(path) => match open(&path)? {
                Some(file) => {
                    Spool::of_stream(Box::new(file), &path.display().to_string(), &staging, &meter)?
                }
                None => Spool::of_folder(&path, &staging, &meter),
            },
            Source::Stream(stream, name) => Spool::of_stream(stream, &name, &staging, &meter)?,
        };
        let found = layout::read(&mut spool, &options.platform, options.limits.layers)?;
        let archive = spool.archive.clone();
        drop(spool);
        let made = stage_layers(&staging, &archive, &found, &meter)?;
        let finished: Vec<Finished> = found.into_iter().map(finish).collect();
        let loaded =
            finished.iter().map(|image| Loaded { id: image.id, names: image.names.clone() }).collect();
        staging.commit(&made, &finished)?;
        Ok(loaded)
    }
}

fn finish(found: Found) -> Finished {
    Finished { id: found.id, configuration: found.text, names: found.names }
}

/// Unpacks the layers that are not here yet, each once.
fn stage_layers(
    staging: &Staging<'_>,
    archive: &str,
    found: &[Found],
    meter: &Meter,
) -> Result<Vec<DiffId>, LoadError> {
    let mut seen = BTreeSet::new();
    let mut made = Vec::new();
    for image in found {
        for (expected, (name, blob)) in image.configuration.rootfs.diff_ids.iter().zip(&image.layers) {
            if !seen.insert(*expected) || staging.pin(expected)? {
                continue;
            }
            let name = format!("layer {name} of {archive}");
            stage_layer(staging, &name, blob, Some(*expected), meter)?;
            made.push(*expected);
        }
    }
    Ok(made)
}

/// Unpacks one layer. Its digest is known once it is whole; until then it has no name.
pub(crate) fn stage_layer(
    staging: &Staging<'_>,
    name: &str,
    blob: &Spooled,
    expected: Option<DiffId>,
    meter: &Meter,
) -> Result<Layer, LoadError> {
    let refused = |(entry, fault)| RefusedEntry { archive: name.to_owned(), entry, fault };
    let reading = |error| refused((EntryName::First, Fault::reading(error)));
    let file = File::open(&blob.path).map_err(reading)?;
    let (compression, inside) = packed::Unpacked::new(Box::new(file), meter).map_err(reading)?;
    let folder = staging.begin_layer()?;
    let (unpacked, inside) = unpack(Hashing::new(inside), &folder.join("root"), meter).map_err(refused)?;
    let (found, ..): (Digest, _, _) = inside.finish();
    let found = DiffId(found);
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(LoadError::WrongContent { layer: name.to_owned(), expected, found });
    }
    let layer = Layer {
        diff_id: found,
        blob: blob.digest,
        blob_size: blob.size,
        compression,
        bytes: unpacked.bytes,
        entries: unpacked.entries,
    };
    staging.finish_layer(&folder, &blob.path, &layer)?;
    Ok(layer)
}
