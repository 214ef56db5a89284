//! Containers: an identity and a network namespace that nobody has used before.

use netns::{Directory, Name, Netns};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A container, as far as a plugin sees it: an identity and an empty network namespace.
#[derive(Debug)]
pub struct Container {
    id: String,
    name: Name,
}

/// A container's namespace could not be made, opened or removed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Name(#[from] netns::InvalidName),
    #[error(transparent)]
    Directory(#[from] netns::directory::Error),
    #[error(transparent)]
    Namespace(#[from] netns::Error),
}

impl Container {
    /// Makes a container.
    ///
    /// # Errors
    /// As [`Directory::create`] tells.
    pub fn create() -> Result<Self, Error> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = Name::new(format!("bench-{number:06}"))?;
        Directory::default().create(&name)?;
        // As long as those of container runtimes, and different in the first digits as those are.
        Ok(Self { id: format!("{number:06x}{:058x}", 0), name })
    }

    /// A container of which there is only the name.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self { id: name.to_owned(), name: Name::new(name).unwrap() }
    }

    /// Its identity.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its namespace is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Directory::default().path_of(&self.name)
    }

    /// Opens its namespace.
    ///
    /// # Errors
    /// As [`Netns::open`] tells.
    pub fn netns(&self) -> Result<Netns, Error> {
        Ok(Directory::default().open(&self.name)?)
    }

    /// Removes it. What the kernel then does takes 30 ms and is felt by others: to be done when nothing is
    /// measured.
    ///
    /// # Errors
    /// As [`Directory::delete`] tells.
    pub fn remove(self) -> Result<(), Error> {
        Ok(Directory::default().delete(&self.name)?)
    }
}
