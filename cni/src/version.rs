//! The versions of the specification.

use std::fmt;

/// A version of the CNI specification that this crate speaks, older ones being smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 0.1.0: one address a family, no interfaces.
    V0_1_0,
    /// 0.2.0: the same, with VERSION.
    V0_2_0,
    /// 0.3.0: interfaces and lists of addresses.
    V0_3_0,
    /// 0.3.1: plugin lists.
    V0_3_1,
    /// 0.4.0: CHECK.
    V0_4_0,
    /// 1.0.0: addresses without a family field.
    V1_0_0,
    /// 1.1.0: GC and STATUS.
    V1_1_0,
}

/// A `cniVersion` that is not one of [`Version::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cniVersion {0:?}: expected one of {all}", all = Version::list(&Version::ALL))]
pub struct UnknownVersion(pub String);

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V0_1_0, Self::V0_2_0, Self::V0_3_0, Self::V0_3_1, Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];

    /// The newest version.
    pub const NEWEST: Self = Self::V1_1_0;

    /// The text that stands in `cniVersion`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_3_0 => "0.3.0",
            Self::V0_3_1 => "0.3.1",
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }

    /// Reads a `cniVersion`. The empty text means 0.1.0, the version that did not have the key yet.
    ///
    /// # Errors
    /// [`UnknownVersion`] for any other text that is not literally one of the versions.
    pub fn parse(text: &str) -> Result<Self, UnknownVersion> {
        if text.is_empty() {
            return Ok(Self::V0_1_0);
        }
        let known = Self::ALL.into_iter().find(|version| version.as_str() == text);
        known.ok_or_else(|| UnknownVersion(text.to_owned()))
    }

    /// `versions` for people: `0.4.0, 1.0.0`.
    #[must_use]
    pub fn list(versions: &[Self]) -> String {
        versions.iter().map(|version| version.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_reads_what_it_writes() {
        for version in Version::ALL {
            assert_eq!(Version::parse(version.as_str()), Ok(version));
        }
    }

    #[test]
    fn nothing_means_the_first_version() {
        assert_eq!(Version::parse(""), Ok(Version::V0_1_0));
    }

    #[test]
    fn a_text_that_is_not_literally_a_version_is_refused() {
        for text in ["1.0", "v1.0.0", "1.2.0", " 1.0.0", "x"] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
    }
}
