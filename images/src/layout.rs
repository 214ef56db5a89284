//! What images an archive has: by the index of an OCI layout, or by the list of a `docker save` archive.
//!
//! Docker writes both since its version 25. Then the index counts, because it has the digest of everything, and the list
//! has names that the index may lack.

use crate::configuration::Configuration;
use crate::digest::{Digest, ImageId};
use crate::fault::RefusedEntry;
use crate::platform::Platform;
use crate::reference::Reference;
use crate::spool::{Spool, Spooled};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// containerd's and docker's note of the whole name of an image.
pub(crate) const NAME: &str = "io.containerd.image.name";
/// The specification's note: a tag, or what the tool takes for a name.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Docker's note that a manifest says how another image was built.
const ATTESTATION: &str = "vnd.docker.reference.type";
/// Indexes in indexes; docker writes two.
const DEEPEST_INDEX: u32 = 4;

/// What is wrong with an archive of images as a whole.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum LayoutError {
    #[error(transparent)]
    Refused(#[from] RefusedEntry),
    #[error("find images in {archive}: it has neither index.json with oci-layout nor manifest.json")]
    NoImages { archive: String },
    #[error("understand {name} of {archive}")]
    NotUnderstood { archive: String, name: String, source: serde_json::Error },
    #[error("find {name} in {archive}: it is named there, and missing")]
    Missing { archive: String, name: String },
    #[error("check {name} of {archive}: it is {found}, not {expected}")]
    WrongDigest { archive: String, name: String, expected: Digest, found: Digest },
    #[error("check {name} of {archive}: it has {found} bytes, not {expected}")]
    WrongSize { archive: String, name: String, expected: u64, found: u64 },
    #[error("use {digest:?}, by which {archive} names a file: only sha256 is known here")]
    UnknownDigest { archive: String, digest: String },
    #[error("find an image for {platform} in {archive}: there are {}", list(offered))]
    NoPlatform { archive: String, platform: Platform, offered: Vec<String> },
    #[error("load {name} of {archive}: it is {media_type}, which is no image")]
    NoImage { archive: String, name: String, media_type: String },
    #[error(
        "count the layers of {name} of {archive}: its configuration has {configured}, its manifest {listed}"
    )]
    LayerCount { archive: String, name: String, configured: usize, listed: usize },
    #[error("stack the layers of {name} of {archive}: there are {count}, more than {limit}")]
    TooManyLayers { archive: String, name: String, count: usize, limit: usize },
    #[error("read {archive}: its indexes lie deeper in each other than {DEEPEST_INDEX}")]
    TooDeep { archive: String },
    #[error("name an image of {archive}")]
    Name { archive: String, source: crate::InvalidReference },
}

fn list(offered: &[String]) -> String {
    if offered.is_empty() { "none".into() } else { offered.join(", ") }
}

impl LayoutError {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(refused) => refused.hint(),
            Self::NoImages { .. } => Some("a root file system without these is imported, not loaded".into()),
            Self::WrongDigest { .. } | Self::WrongSize { .. } | Self::Missing { .. } => {
                Some("the archive was damaged or changed: fetch or save it again".into())
            }
            _ => None,
        }
    }
}

/// How one file of a layout names another.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    fn note(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }
}

/// An index of manifests or a manifest of layers: which one, its fields tell.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    media_type: String,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

/// One image of the list of a `docker save` archive.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) config: String,
    pub(crate) repo_tags: Option<Vec<String>>,
    pub(crate) layers: Option<Vec<String>>,
}

/// An image that can be loaded: everything that it needs is there, and what has a digest has the right one.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: ImageId,
    pub(crate) configuration: Configuration,
    pub(crate) text: Vec<u8>,
    pub(crate) names: Vec<Reference>,
    pub(crate) layers: Vec<(String, Spooled)>,
}

/// The images of an archive for a platform.
pub(crate) fn read(
    spool: &mut Spool<'_>,
    platform: &Platform,
    most_layers: usize,
) -> Result<Vec<Found>, LayoutError> {
    let mut reader = Reader { spool, platform, most_layers };
    let listed: Option<Vec<Listed>> = reader.json("manifest.json")?;
    let index: Option<Document> = match reader.spool.find("oci-layout")? {
        Some(_) => reader.json("index.json")?,
        None => None,
    };
    let listed_tags = listed.clone().unwrap_or_default();
    let mut found = match (index, listed) {
        (Some(index), _) => reader.images_of_index(&index)?,
        (None, Some(listed)) => listed.iter().map(|image| reader.listed(image)).collect::<Result<_, _>>()?,
        (None, None) => return Err(LayoutError::NoImages { archive: reader.archive() }),
    };
    for image in &mut found {
        let of_it = listed_tags.iter().filter(|listed| listed.config.contains(&image.id.hex()));
        for tag in of_it.filter_map(|listed| listed.repo_tags.as_ref()).flatten() {
            let name = reader.name(tag)?;
            if !image.names.contains(&name) {
                image.names.push(name);
            }
        }
    }
    if found.is_empty() {
        return Err(LayoutError::NoImages { archive: reader.archive() });
    }
    Ok(found)
}

struct Reader<'r, 's> {
    spool: &'r mut Spool<'s>,
    platform: &'r Platform,
    most_layers: usize,
}

impl Reader<'_, '_> {
    fn archive(&self) -> String {
        self.spool.archive.clone()
    }

    fn understand<T: DeserializeOwned>(&self, name: &str, text: &[u8]) -> Result<T, LayoutError> {
        serde_json::from_slice(text).map_err(|source| LayoutError::NotUnderstood {
            archive: self.archive(),
            name: name.to_owned(),
            source,
        })
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, LayoutError> {
        let document = self.spool.document(name)?;
        document.map(|(_, text)| self.understand(name, &text)).transpose()
    }

    fn name(&self, text: &str) -> Result<Reference, LayoutError> {
        text.parse().map_err(|source| LayoutError::Name { archive: self.archive(), source })
    }

    fn missing(&self, name: &str) -> LayoutError {
        LayoutError::Missing { archive: self.archive(), name: name.to_owned() }
    }

    /// Where a descriptor's file is, and that it is what the descriptor says.
    fn blob(&mut self, descriptor: &Descriptor) -> Result<(String, Spooled), LayoutError> {
        let archive = self.archive();
        let expected: Digest = descriptor.digest.parse().map_err(|_| LayoutError::UnknownDigest {
            archive: archive.clone(),
            digest: descriptor.digest.clone(),
        })?;
        let name = format!("blobs/sha256/{}", expected.hex());
        let file = self.spool.find(&name)?.ok_or_else(|| self.missing(&name))?;
        if file.size != descriptor.size {
            return Err(LayoutError::WrongSize {
                archive,
                name,
                expected: descriptor.size,
                found: file.size,
            });
        }
        if file.digest != expected {
            return Err(LayoutError::WrongDigest { archive, name, expected, found: file.digest });
        }
        Ok((name, file))
    }

    fn document(&mut self, descriptor: &Descriptor) -> Result<(String, Vec<u8>), LayoutError> {
        let (name, _) = self.blob(descriptor)?;
        let (_, text) = self.spool.document(&name)?.ok_or_else(|| self.missing(&name))?;
        Ok((name, text))
    }

    /// Each entry of the outermost index is an image, perhaps for several platforms.
    fn images_of_index(&mut self, index: &Document) -> Result<Vec<Found>, LayoutError> {
        let all = index.manifests.as_deref().unwrap_or_default();
        let images: Vec<&Descriptor> = all.iter().filter(|one| is_image(one)).collect();
        let fits = |one: &&Descriptor| one.platform.as_ref().is_none_or(|p| self.platform.accepts(p));
        let fitting: Vec<Descriptor> = images.iter().copied().filter(fits).cloned().collect();
        if fitting.is_empty() && !images.is_empty() {
            return Err(self.no_platform(&images));
        }
        let mut found: Vec<Found> = Vec::new();
        for descriptor in fitting {
            let image = self.image(&descriptor, 0)?;
            // A tool that knows two names of an image writes two entries.
            match found.iter_mut().find(|known| known.id == image.id) {
                Some(known) => known.names.extend(image.names),
                None => found.push(image),
            }
        }
        Ok(found)
    }

    fn no_platform(&self, images: &[&Descriptor]) -> LayoutError {
        let offered =
            images.iter().filter_map(|one| one.platform.as_ref()).map(ToString::to_string).collect();
        LayoutError::NoPlatform { archive: self.archive(), platform: self.platform.clone(), offered }
    }

    fn image(&mut self, descriptor: &Descriptor, depth: u32) -> Result<Found, LayoutError> {
        if depth > DEEPEST_INDEX {
            return Err(LayoutError::TooDeep { archive: self.archive() });
        }
        let (name, text) = self.document(descriptor)?;
        let document: Document = self.understand(&name, &text)?;
        let mut image = match (&document.manifests, &document.config) {
            (Some(manifests), None) => {
                let images: Vec<&Descriptor> = manifests.iter().filter(|one| is_image(one)).collect();
                let fits = |one: &&&Descriptor| {
                    one.platform.as_ref().is_none_or(|offered| self.platform.accepts(offered))
                };
                let chosen = images.iter().find(fits).ok_or_else(|| self.no_platform(&images))?;
                self.image(chosen, depth + 1)?
            }
            (None, Some(config)) => self.manifest(&name, config, document.layers.as_deref())?,
            _ => return Err(self.no_image(&name, &document.media_type)),
        };
        image.names.extend(self.noted_name(descriptor)?);
        Ok(image)
    }

    fn no_image(&self, name: &str, media_type: &str) -> LayoutError {
        let media_type = if media_type.is_empty() { "something" } else { media_type }.to_owned();
        LayoutError::NoImage { archive: self.archive(), name: name.to_owned(), media_type }
    }

    /// The name that an index notes. A tag alone says nothing: the folder's name would belong to it.
    fn noted_name(&self, descriptor: &Descriptor) -> Result<Option<Reference>, LayoutError> {
        let noted = descriptor
            .note(NAME)
            .or_else(|| descriptor.note(REF_NAME).filter(|name| name.contains([':', '/'])));
        noted.map(|name| self.name(name)).transpose()
    }

    fn manifest(
        &mut self,
        name: &str,
        config: &Descriptor,
        layers: Option<&[Descriptor]>,
    ) -> Result<Found, LayoutError> {
        if ![CONFIG, DOCKER_CONFIG, ""].contains(&config.media_type.as_str()) {
            return Err(self.no_image(name, &config.media_type));
        }
        let (config_name, text) = self.document(config)?;
        let layers = layers.unwrap_or_default();
        self.check_count(name, layers.len())?;
        let layers = layers.iter().map(|layer| self.blob(layer)).collect::<Result<Vec<_>, _>>()?;
        self.finish(&config_name, text, layers)
    }

    fn listed(&mut self, image: &Listed) -> Result<Found, LayoutError> {
        let (file, text) = self.spool.document(&image.config)?.ok_or_else(|| self.missing(&image.config))?;
        let stem = Path::new(&image.config).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let Some(expected) = Digest::from_hex(stem)
            && expected != file.digest
        {
            let (archive, name) = (self.archive(), image.config.clone());
            return Err(LayoutError::WrongDigest { archive, name, expected, found: file.digest });
        }
        let names = image.layers.as_deref().unwrap_or_default();
        self.check_count(&image.config, names.len())?;
        let mut layers = Vec::new();
        for name in names {
            let file = self.spool.find(name)?.ok_or_else(|| self.missing(name))?;
            layers.push((name.clone(), file));
        }
        self.finish(&image.config, text, layers)
    }

    fn check_count(&self, name: &str, count: usize) -> Result<(), LayoutError> {
        let limit = self.most_layers;
        if count > limit {
            let (archive, name) = (self.archive(), name.to_owned());
            return Err(LayoutError::TooManyLayers { archive, name, count, limit });
        }
        Ok(())
    }

    fn finish(
        &self,
        name: &str,
        text: Vec<u8>,
        layers: Vec<(String, Spooled)>,
    ) -> Result<Found, LayoutError> {
        let configuration: Configuration = self.understand(name, &text)?;
        let (configured, listed) = (configuration.rootfs.diff_ids.len(), layers.len());
        if configured != listed {
            let (archive, name) = (self.archive(), name.to_owned());
            return Err(LayoutError::LayerCount { archive, name, configured, listed });
        }
        Ok(Found { id: ImageId(Digest::of(&text)), configuration, text, names: Vec::new(), layers })
    }
}

/// What says how an image was built, or is signed, is none.
fn is_image(descriptor: &Descriptor) -> bool {
    let is_index_or_manifest = [INDEX, MANIFEST, DOCKER_INDEX, ""].contains(&descriptor.media_type.as_str())
        || descriptor.media_type == "application/vnd.docker.distribution.manifest.v2+json";
    let is_unknown = descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
    is_index_or_manifest && !is_unknown && descriptor.note(ATTESTATION).is_none()
}
