//! An image is made here: of a root file system (`import`), or of another image and what a container changed (`commit`).

use crate::change::Change;
use crate::configuration::{Config, Configuration, RootFs, Step};
use crate::digest::{DiffId, Digest, Hashing, ImageId};
use crate::fault::{EntryName, RefusedEntry};
use crate::limits::{Limits, Meter};
use crate::load::{LoadError, Source, open, stage_layer};
use crate::pack::{Meaning, PackError, pack};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::spool::{Spooled, copy};
use crate::staging::{Finished, Staging};
use crate::store::{self, Image, Store};
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};

/// What the new layer is made of.
#[derive(Debug)]
pub enum Content {
    /// A root file system: a tar, compressed or not, as a file or a stream; or a folder.
    RootFs(Source),
    /// What overlayfs wrote for a container (its `upperdir`), whose image is the base.
    Changes(PathBuf),
}

/// What is said of an image to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The image below, by a name or id.
    pub base: Option<String>,
    /// What is to be said of it, in this order.
    pub changes: Vec<Change>,
    /// Its name, which another image loses.
    pub name: Option<Reference>,
    /// What made it, for its history.
    pub created_by: Option<String>,
    /// What people say of it.
    pub message: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// When.
    pub created: jiff::Timestamp,
    /// For which machine, where no base says so.
    pub platform: Platform,
    /// What may be read and written.
    pub limits: Limits,
}

/// An image that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Built {
    /// Which.
    pub id: ImageId,
    /// What the folder has and no layer can: sockets and device nodes.
    pub left_out: Vec<PathBuf>,
}

/// An image was not made. Nothing of it is in the store.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum BuildError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("make a file for the layer")]
    File(#[source] io::Error),
    #[error("pack the layer: it is larger than the limit of {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("put a layer on {base}: it has {count}, and the limit is {limit}")]
    TooManyLayers { base: ImageId, count: usize, limit: usize },
    #[error("put a layer on {base}: one of its own was removed meanwhile")]
    BaseGone { base: ImageId },
    #[error("describe the image")]
    Describe(#[source] serde_json::Error),
}

impl BuildError {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Load(error) => error.hint(),
            Self::TooManyLayers { .. } => {
                Some("export the container and import it: that is one layer".into())
            }
            _ => None,
        }
    }
}

impl Store {
    /// Makes an image whose topmost layer has this content.
    ///
    /// # Errors
    /// The base is not there, the content cannot be read or is refused, or the store cannot be written: then nothing stays.
    pub fn build(&self, content: Content, draft: Draft) -> Result<Built, BuildError> {
        let meter = Meter::new(draft.limits);
        let staging = Staging::begin(self)?;
        let base = draft.base.as_deref().map(|base| self.base(base, &staging, &draft.limits)).transpose()?;
        let (name, blob, left_out) = collect(content, &staging, &meter, draft.limits)?;
        let layer = stage_layer(&staging, &name, &blob, None, &meter)?;
        let text = describe(&draft, base.as_ref(), layer.diff_id)?;
        let id = ImageId(Digest::of(&text));
        let image = Finished { id, configuration: text, names: draft.name.into_iter().collect() };
        staging.commit(&[layer.diff_id], &[image])?;
        Ok(Built { id, left_out })
    }

    /// The base, whose layers stay until this is done.
    fn base(
        &self,
        wanted: &str,
        staging: &Staging<'_>,
        limits: &Limits,
    ) -> Result<(Image, Vec<u8>), BuildError> {
        let image = self.find(wanted)?;
        let (base, count, limit) = (image.id, image.layers.len(), limits.layers);
        if count >= limit {
            return Err(BuildError::TooManyLayers { base, count, limit });
        }
        let text = self.raw_configuration(&base)?;
        let mut pinned = std::collections::HashSet::new();
        for layer in &image.layers {
            if pinned.insert(layer.diff_id) && !staging.pin(&layer.diff_id)? {
                return Err(BuildError::BaseGone { base });
            }
        }
        Ok((image, text))
    }
}

/// The archive of the new layer in a file, and what people call it.
fn collect(
    content: Content,
    staging: &Staging<'_>,
    meter: &Meter,
    limits: Limits,
) -> Result<(String, Spooled, Vec<PathBuf>), BuildError> {
    let path = staging.fresh();
    match content {
        Content::RootFs(Source::Path(source)) => match open(&source)? {
            Some(mut file) => archive(&mut file, &source.display().to_string(), &path, meter),
            None => folder(&source, Meaning::Whole, &path, limits),
        },
        Content::RootFs(Source::Stream(mut stream, name)) => archive(&mut *stream, &name, &path, meter),
        Content::Changes(upper) => folder(&upper, Meaning::Changes, &path, limits),
    }
}

fn archive(
    source: &mut dyn Read,
    name: &str,
    path: &Path,
    meter: &Meter,
) -> Result<(String, Spooled, Vec<PathBuf>), BuildError> {
    let mut source = source;
    let refused = |fault| RefusedEntry { archive: name.to_owned(), entry: EntryName::First, fault };
    let blob = copy(&mut source, path, meter).map_err(|fault| LoadError::Layer(refused(fault)))?;
    Ok((name.to_owned(), blob, Vec::new()))
}

fn folder(
    folder: &Path,
    meaning: Meaning,
    path: &Path,
    limits: Limits,
) -> Result<(String, Spooled, Vec<PathBuf>), BuildError> {
    let file = File::create_new(path).map_err(BuildError::File)?;
    let mut to = BufWriter::with_capacity(128 << 10, Hashing::new(file));
    let left_out = pack(folder, meaning, &mut to)?;
    let (digest, size, _) = to.into_inner().map_err(|error| BuildError::File(error.into_error()))?.finish();
    if size > limits.bytes {
        return Err(BuildError::TooLarge { limit: limits.bytes });
    }
    let blob = Spooled { path: path.to_owned(), digest, size };
    Ok((folder.display().to_string(), blob, left_out))
}

/// The configuration of the new image. What the base says that is not known here stays.
fn describe(draft: &Draft, base: Option<&(Image, Vec<u8>)>, layer: DiffId) -> Result<Vec<u8>, BuildError> {
    let mut made = base.map_or_else(|| empty(&draft.platform), |(image, _)| image.configuration.clone());
    let created = draft.created.to_string();
    draft.changes.iter().for_each(|change| change.apply(&mut made.config));
    made.rootfs.diff_ids.push(layer);
    made.created = Some(created.clone());
    made.author.clone_from(&draft.author);
    made.history.push(Step {
        created: Some(created),
        created_by: draft.created_by.clone(),
        author: draft.author.clone(),
        comment: draft.message.clone(),
        empty_layer: false,
    });
    let mut text = match base {
        Some((_, text)) => serde_json::from_slice(text).map_err(BuildError::Describe)?,
        None => Value::Object(serde_json::Map::new()),
    };
    overlay(&mut text, serde_json::to_value(&made).map_err(BuildError::Describe)?);
    serde_json::to_vec(&text).map_err(BuildError::Describe)
}

fn empty(platform: &Platform) -> Configuration {
    Configuration {
        platform: platform.clone(),
        created: None,
        author: None,
        config: Config::default(),
        rootfs: RootFs { kind: "layers".into(), diff_ids: Vec::new() },
        history: Vec::new(),
    }
}

/// Keys that [`Config`] knows: one that it leaves out is empty.
const KNOWN: [&str; 9] =
    ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"];

fn overlay(text: &mut Value, made: Value) {
    let (Value::Object(text), Value::Object(made)) = (text, made) else { return };
    text.remove("author");
    for (key, value) in made {
        match (text.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if key == "config" => {
                old.retain(|key, _| !KNOWN.contains(&key.as_str()));
                old.extend(new);
            }
            (_, value) => drop(text.insert(key, value)),
        }
    }
}
