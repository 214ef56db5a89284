//! The id of a container.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is no id of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid container id {value:?}: expected 64 digits of 0-9 and a-f")]
pub struct InvalidId {
    /// The text as it was given.
    pub value: String,
}

/// The id of a container: 64 hexadecimal digits, as Docker's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// How many digits a short id has.
    pub const SHORT: usize = 12;

    /// The id whose digits are `bytes`, which are to be random: 12 digits of them are what people type.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidId`] unless it is 64 small hexadecimal digits.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match text.len() == 64 && text.bytes().all(is_digit) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidId { value: text.to_owned() }),
        }
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_64_digits_and_is_known_by_twelve() {
        let id = Id::from_bytes([0xa1; 32]);
        assert_eq!((id.as_str().len(), id.short()), (64, "a1a1a1a1a1a1"));
        assert_eq!(Id::new(id.as_str()), Ok(id));
        for wrong in ["", "a1", &"g".repeat(64), &"A".repeat(64), &"../".repeat(22)[..64]] {
            assert_eq!(Id::new(wrong), Err(InvalidId { value: wrong.to_owned() }));
        }
    }
}
