//! The id of a network: what Docker shows beside its name.

use std::fmt;

use sha2::{Digest, Sha256};
use vocab::NetworkName;

/// 64 hexadecimal digits that follow from the network's name, as with podman: a conflist has no room for an id, and
/// whoever reads it computes the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NetworkId(String);

impl NetworkId {
    /// How many digits people are shown.
    pub const SHORT: usize = 12;

    /// The id of the network of that name.
    #[must_use]
    pub fn of(name: &NetworkName) -> Self {
        Self(Sha256::digest(name.as_str().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }

    /// Whether `text` begins this id and may stand for it: hexadecimal digits, and no empty text.
    #[must_use]
    pub fn begins_with(&self, text: &str) -> bool {
        !text.is_empty() && self.0.starts_with(text)
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_podman_s() {
        // printf podman | sha256sum
        let id = NetworkId::of(&NetworkName::new("podman").unwrap());
        assert_eq!(id.short(), "2f259bab93aa");
        assert!(id.begins_with("2f25") && !id.begins_with("") && !id.begins_with("25"));
        assert_eq!(id.to_string().len(), 64);
    }
}
