//! Names and images go, and what nobody needs any more goes with them.

use crate::digest::{DiffId, ImageId};
use crate::reference::Reference;
use crate::staging::{Staging, clear_abandoned, pinned};
use crate::store::{self, Store, list};
use std::collections::HashSet;
use std::fs;

/// An image was not removed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum RemoveError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("remove image {image}: {} use it", users.join(", "))]
    InUse { image: ImageId, users: Vec<String> },
    #[error("remove image {image}: it has the names {}", names.iter().map(Reference::short).collect::<Vec<_>>().join(", "))]
    Named { image: ImageId, names: Vec<Reference> },
    #[error("find out who uses image {image}")]
    Usage { image: ImageId, source: Box<dyn std::error::Error + Send + Sync> },
}

impl RemoveError {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::InUse { .. } => Some("remove these first".into()),
            Self::Named { .. } => Some("remove the names one by one, or all with force".into()),
            Self::Usage { .. } => None,
        }
    }
}

/// Who uses an image: the names of containers. Asked under the store's lock, which [`Store::hold`] waits for.
pub type Users<'u> = dyn Fn(&ImageId) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> + 'u;

/// What was removed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Removed {
    /// Names that mean nothing any more.
    pub names: Vec<Reference>,
    /// The image, unless it has more names.
    pub image: Option<ImageId>,
    /// Layers that no other image has.
    pub layers: Vec<DiffId>,
}

/// What was found that nobody needed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Collected {
    /// Loads and removals that were killed.
    pub abandoned: usize,
    /// Layers of no image.
    pub layers: Vec<DiffId>,
}

impl Store {
    /// Removes a name, and with its last name the image; or by its id an image that has at most one name, or any number
    /// with `force`. Layers that others have stay.
    ///
    /// # Errors
    /// There is no such image, it is in use, or has more names: then nothing is changed.
    pub fn remove(&self, wanted: &str, force: bool, users: &Users<'_>) -> Result<Removed, RemoveError> {
        let staging;
        let mut removed = Removed::default();
        {
            let _turn = self.turn()?;
            let (id, name) = self.resolve(wanted)?;
            let mut names = self.names()?;
            let all: Vec<Reference> =
                names.iter().filter(|(_, named)| **named == id).map(|(name, _)| name.clone()).collect();
            let goes = match name {
                Some(name) => vec![name],
                None if all.len() > 1 && !force => return Err(RemoveError::Named { image: id, names: all }),
                None => all.clone(),
            };
            let is_last = goes.len() == all.len();
            if is_last {
                refuse_if_used(id, users)?;
            }
            names.retain(|name, _| !goes.contains(name));
            if !goes.is_empty() {
                self.set_names(&names)?;
            }
            removed.names = goes;
            if !is_last {
                return Ok(removed);
            }
            let path = self.image_file(&id);
            fs::remove_file(&path).map_err(store::Error::io("remove", &path))?;
            store::sync_folder(&self.images_dir())?;
            removed.image = Some(id);
            staging = Staging::begin_in_turn(self)?;
            removed.layers = self.take_orphans(&staging)?;
        }
        // Files are many; nobody needs to wait for their end.
        staging.end()?;
        Ok(removed)
    }

    /// Removes what killed programs left, and layers of no image.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn collect(&self) -> Result<Collected, store::Error> {
        let mut collected = Collected::default();
        let staging;
        {
            let _turn = self.turn()?;
            collected.abandoned = clear_abandoned(self)?;
            staging = Staging::begin_in_turn(self)?;
            collected.layers = self.take_orphans(&staging)?;
        }
        staging.end()?;
        Ok(collected)
    }

    /// Takes the layers away that no image has and nobody is about to use; in one's turn.
    fn take_orphans(&self, staging: &Staging<'_>) -> Result<Vec<DiffId>, store::Error> {
        let mut needed: HashSet<DiffId> = pinned(self)?;
        for id in self.ids()? {
            needed.extend(self.configuration(&id)?.0.rootfs.diff_ids);
        }
        let mut orphans = Vec::new();
        for name in list(&self.layers_dir())? {
            if let Some(layer) = crate::Digest::from_hex(&name).map(DiffId)
                && !needed.contains(&layer)
            {
                staging.take_layer(&layer)?;
                orphans.push(layer);
            }
        }
        Ok(orphans)
    }
}

fn refuse_if_used(image: ImageId, users: &Users<'_>) -> Result<(), RemoveError> {
    let users = users(&image).map_err(|source| RemoveError::Usage { image, source })?;
    if users.is_empty() { Ok(()) } else { Err(RemoveError::InUse { image, users }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packed::Compression;
    use crate::store::Layer;
    use std::path::PathBuf;

    struct Scratch(PathBuf);
    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_layer_that_somebody_at_work_counts_on_stays() {
        let scratch = Scratch(std::env::temp_dir().join(format!("netctl-images-pin-{}", std::process::id())));
        let store = Store::open(&scratch.0).unwrap();
        let digest = crate::Digest::of(b"layer");
        let compression = Compression::None;
        let layer =
            Layer { diff_id: DiffId(digest), blob: digest, blob_size: 0, compression, bytes: 0, entries: 0 };
        let maker = Staging::begin(&store).unwrap();
        assert!(!maker.pin(&layer.diff_id).unwrap());
        let blob = maker.write("blob", b"").unwrap();
        maker.finish_layer(&maker.begin_layer().unwrap(), &blob, &layer).unwrap();
        maker.commit(&[layer.diff_id], &[]).unwrap();

        let at_work = Staging::begin(&store).unwrap();
        assert!(at_work.pin(&layer.diff_id).unwrap());
        assert_eq!(store.collect().unwrap(), Collected::default());
        drop(at_work);
        assert_eq!(store.collect().unwrap().layers, [layer.diff_id]);
        assert_eq!(store.layer(&layer.diff_id).unwrap(), None);
    }
}
