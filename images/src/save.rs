//! Images become one archive that is an OCI layout and a `docker save` archive at once: docker, podman, skopeo and
//! containerd read one or the other.
//!
//! The same images and names give the same bytes, whenever and wherever they are written. Layers are written as they came,
//! so their digests are those under which others may have them.

use crate::configuration::Configuration;
use crate::digest::{Digest, ImageId};
use crate::layout::{CONFIG, Descriptor, INDEX, LAYER, Listed, MANIFEST, NAME, REF_NAME};
use crate::packed::Compression;
use crate::reference::Reference;
use crate::store::{self, Image, Layer, Store};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Images were not saved, or only the beginning of the archive.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum SaveError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("write the archive")]
    Write(#[source] io::Error),
    #[error("write layer {layer}: its archive is not what it was when it was loaded")]
    Changed { layer: Digest },
    #[error("write what describes the images")]
    Describe(#[source] serde_json::Error),
}

impl SaveError {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::Changed { .. } => {
                Some("remove the image and load it again: somebody else changed the store".into())
            }
            _ => None,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// One file of the archive.
enum Part {
    Text(Vec<u8>),
    Blob(PathBuf, Layer),
}

/// Images with the names under which they are saved.
type Chosen = BTreeMap<ImageId, (Image, BTreeSet<Reference>)>;

impl Store {
    /// Writes images, named as people name them. An image that is named by its id is saved without a name.
    ///
    /// # Errors
    /// One of them is not there, or the archive cannot be written.
    pub fn save(&self, wanted: &[&str], to: impl Write) -> Result<(), SaveError> {
        // Nobody removes what is being written.
        let _hold = self.hold()?;
        let mut chosen = Chosen::new();
        for wanted in wanted {
            let (id, name) = self.resolve(wanted)?;
            let image = self.read_image(id)?;
            chosen.entry(id).or_insert_with(|| (image, BTreeSet::new())).1.extend(name);
        }
        let files = self.describe(&chosen)?;
        write(&files, to)
    }

    fn describe(&self, chosen: &Chosen) -> Result<BTreeMap<String, Part>, SaveError> {
        let mut files = BTreeMap::new();
        let mut index = Index { schema_version: 2, media_type: INDEX, manifests: Vec::new() };
        let mut list = Vec::new();
        for (id, (image, names)) in chosen {
            let (configuration, text) = self.configuration(id)?;
            let config = descriptor(CONFIG, id.0, text.len() as u64);
            files.insert(blob_path(&id.0), Part::Text(text));
            for layer in &image.layers {
                let blob = self.layer_dir(&layer.diff_id).join("blob");
                files.insert(blob_path(&layer.blob), Part::Blob(blob, layer.clone()));
            }
            let layers = image.layers.iter().map(layer_descriptor).collect();
            let manifest = json(&Manifest { schema_version: 2, media_type: MANIFEST, config, layers })?;
            let digest = Digest::of(&manifest);
            let one = descriptor(MANIFEST, digest, manifest.len() as u64);
            files.insert(blob_path(&digest), Part::Text(manifest));
            index.manifests.extend(entries(&one, &configuration, names));
            list.push(listed(image, names));
        }
        files.insert("index.json".into(), Part::Text(json(&index)?));
        files.insert("manifest.json".into(), Part::Text(json(&list)?));
        files.insert("oci-layout".into(), Part::Text(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        Ok(files)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, SaveError> {
    serde_json::to_vec(value).map_err(SaveError::Describe)
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    let digest = digest.to_string();
    Descriptor { media_type: media_type.to_owned(), digest, size, platform: None, annotations: None }
}

fn layer_descriptor(layer: &Layer) -> Descriptor {
    let ending = match layer.compression {
        Compression::None => "",
        Compression::Gzip => "+gzip",
        Compression::Zstd => "+zstd",
    };
    descriptor(&format!("{LAYER}{ending}"), layer.blob, layer.blob_size)
}

/// One entry of the index a name, or one without.
fn entries(
    manifest: &Descriptor,
    configuration: &Configuration,
    names: &BTreeSet<Reference>,
) -> Vec<Descriptor> {
    let manifest = Descriptor { platform: Some(configuration.platform.clone()), ..manifest.clone() };
    if names.is_empty() {
        return vec![manifest];
    }
    let named = |name: &Reference| {
        let tag = name.tag().map(|tag| (REF_NAME.to_owned(), tag.to_owned()));
        let notes = tag.into_iter().chain([(NAME.to_owned(), name.to_string())]).collect();
        Descriptor { annotations: Some(notes), ..manifest.clone() }
    };
    names.iter().map(named).collect()
}

fn listed(image: &Image, names: &BTreeSet<Reference>) -> Listed {
    Listed {
        config: blob_path(&image.id.0),
        // Others read no digests here.
        repo_tags: Some(names.iter().filter(|name| name.digest().is_none()).map(Reference::short).collect()),
        layers: Some(image.layers.iter().map(|layer| blob_path(&layer.blob)).collect()),
    }
}

fn write(files: &BTreeMap<String, Part>, to: impl Write) -> Result<(), SaveError> {
    let mut archive = tar::Builder::new(to);
    for folder in ["blobs/", "blobs/sha256/"] {
        let header = header(tar::EntryType::Directory, 0o755, 0);
        append(&mut archive, header, folder, io::empty())?;
    }
    for (name, file) in files {
        match file {
            Part::Text(text) => {
                let header = header(tar::EntryType::Regular, 0o644, text.len() as u64);
                append(&mut archive, header, name, text.as_slice())?;
            }
            Part::Blob(path, layer) => append_blob(&mut archive, name, path, layer)?,
        }
    }
    archive.into_inner().and_then(|mut to| to.flush()).map_err(SaveError::Write)
}

fn append_blob(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    path: &Path,
    layer: &Layer,
) -> Result<(), SaveError> {
    let changed = || SaveError::Changed { layer: layer.blob };
    let file = File::open(path).map_err(store::Error::io("read", path))?;
    if file.metadata().map_err(store::Error::io("read", path))?.len() != layer.blob_size {
        return Err(changed());
    }
    let mut file = crate::digest::Hashing::new(file);
    let header = header(tar::EntryType::Regular, 0o644, layer.blob_size);
    append(archive, header, name, (&mut file).take(layer.blob_size))?;
    if file.finish().0 == layer.blob { Ok(()) } else { Err(changed()) }
}

/// The same for everybody, always.
fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    mut header: tar::Header,
    name: &str,
    content: impl Read,
) -> Result<(), SaveError> {
    archive.append_data(&mut header, name, content).map_err(SaveError::Write)
}
