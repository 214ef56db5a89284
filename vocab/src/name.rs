//! Names of containers and networks: one alphabet, two types that cannot be mistaken for each other.

use crate::text_value;

/// Why a text is no name of a container or network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid {kind} {value:?}: expected letters, digits, '_', '.' and '-', beginning with a letter or digit"
)]
pub struct InvalidName {
    /// What the text should have named: `container id` or `network name`.
    pub kind: &'static str,
    /// The text as it was given.
    pub value: String,
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        // Both names become file names: NAME_MAX of every Linux file system is 255 bytes.
        && bytes.len() <= 255
}

/// The id that a runtime gives a container: `[A-Za-z0-9][A-Za-z0-9_.-]*` (CNI spec, section 2, `CNI_CONTAINERID`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(String);

impl ContainerId {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidName`] when it is empty, too long for a file name or has a character outside the alphabet.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        match is_name(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidName { kind: "container id", value: text.to_owned() }),
        }
    }

    /// What the host itself is called where a container's id is expected.
    pub(crate) fn host() -> Self {
        Self("netctl-host".to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a network: `[A-Za-z0-9][A-Za-z0-9_.-]*` (CNI spec, section 1, `name`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(String);

impl NetworkName {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidName`] when it is empty, too long for a file name or has a character outside the alphabet.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        match is_name(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidName { kind: "network name", value: text.to_owned() }),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(ContainerId, InvalidName);
text_value!(NetworkName, InvalidName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_spec_are_accepted() {
        for text in ["a", "0", "cnitool-77383ca0a0715733ca6f", "my_net.v2-1"] {
            assert_eq!(ContainerId::new(text).unwrap().as_str(), text);
            assert_eq!(NetworkName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_name_that_could_leave_its_directory_is_refused() {
        for text in ["", ".", "..", "../x", "a/b", "-a", "_a", "a b", "a\n", "é", &"x".repeat(256)] {
            assert!(ContainerId::new(text).is_err(), "{text:?}");
            assert!(NetworkName::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_error_names_the_value() {
        let error = ContainerId::new("a b").unwrap_err().to_string();
        assert!(error.starts_with("invalid container id \"a b\": expected"), "{error}");
    }
}
