//! Why containers are not kept, or not found.

use crate::files::FileError;
use crate::{Id, Name};

/// Why a container cannot be kept or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another one has that name.
    #[error("the name {name} is that of container {}", by.short())]
    NameTaken {
        /// The name.
        name: Name,
        /// Who has it.
        by: Id,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl StoreError {
    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NameTaken { name, .. } => Some(format!(
                "`netctl container rm {name}` removes it, `netctl rename {name} OTHER` gives it another name"
            )),
            Self::File(_) => None,
        }
    }
}

/// Why a container is not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing has that name or id.
    #[error("no such container: {wanted}")]
    Absent {
        /// What was given.
        wanted: String,
        /// What was meant, perhaps.
        nearest: Option<String>,
    },
    /// Several ids begin so.
    #[error("several containers' ids begin with {prefix}")]
    Several {
        /// The digits.
        prefix: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl FindError {
    pub(crate) fn new(wanted: &str, names: Vec<String>) -> Self {
        let likeness = |name: &String| strsim::damerau_levenshtein(wanted, name);
        let nearest = names.into_iter().min_by_key(likeness).filter(|name| likeness(name) <= 2);
        Self::Absent { wanted: wanted.to_owned(), nearest }
    }

    /// Whether nothing has that name, as opposed to something that cannot be read.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// The way out.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Absent { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::Absent { nearest: None, .. } => Some("`netctl ps -a` lists the containers".to_owned()),
            Self::Several { .. } => Some("give more digits, or the name".to_owned()),
            Self::File(_) => None,
        }
    }
}
