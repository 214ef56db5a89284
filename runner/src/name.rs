//! The name of a container.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is no name of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid container name {value:?}: expected 2 to 200 letters, digits, '_', '.' and '-', beginning with a letter or digit"
)]
pub struct InvalidContainerName {
    /// The text as it was given.
    pub value: String,
}

/// The name of a container: Docker's `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Checks `text`; a slash before it, as Docker's API writes names, is left out.
    ///
    /// # Errors
    /// [`InvalidContainerName`].
    pub fn new(text: &str) -> Result<Self, InvalidContainerName> {
        let name = text.strip_prefix('/').unwrap_or(text);
        let bytes = name.as_bytes();
        let is_valid = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
            // It becomes the name of a file.
            && (2..=200).contains(&bytes.len());
        match is_valid {
            true => Ok(Self(name.to_owned())),
            false => Err(InvalidContainerName { value: text.to_owned() }),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidContainerName;

    fn from_str(text: &str) -> Result<Self, InvalidContainerName> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_docker_takes() {
        for name in ["b1", "web-1", "A.b_c", "/b1"] {
            assert_eq!(Name::new(name).unwrap().as_str(), name.trim_start_matches('/'));
        }
        for wrong in ["", "a", "-b", "a b", "ä1", "a/b", "..", "//ab", &"a".repeat(201)] {
            assert_eq!(Name::new(wrong), Err(InvalidContainerName { value: wrong.to_owned() }));
        }
    }
}
