//! Names of namespaces.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `NAME_MAX` of every Linux file system.
const MAX_LEN: usize = 255;

/// Why a text is no name of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid network namespace name {value:?}: {reason}")]
pub struct InvalidName {
    /// The text as it was given.
    pub value: OsString,
    /// The rule it breaks.
    pub reason: &'static str,
}

/// A name under which a namespace can be published: any file name, as iproute2 has it.
///
/// It need not be UTF-8, so that everything that others put into the directory can be named and deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(OsString);

impl Name {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidName`] when it could not be a file in the directory: empty, over 255 bytes, `.` or `..`, or
    /// with a slash or a zero byte in it.
    pub fn new(text: impl AsRef<OsStr>) -> Result<Self, InvalidName> {
        let text = text.as_ref();
        let reason = match text.as_bytes() {
            b"" => "it is empty",
            b"." | b".." => "'.' and '..' are directories",
            bytes if bytes.contains(&b'/') => "a slash cannot be part of a file name",
            bytes if bytes.contains(&0) => "a zero byte cannot be part of a file name",
            bytes if bytes.len() > MAX_LEN => "expected at most 255 bytes",
            _ => return Ok(Self(text.to_owned())),
        };
        Err(InvalidName { value: text.to_owned(), reason })
    }

    /// The name as the file system has it.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

impl AsRef<Path> for Name {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl std::str::FromStr for Name {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

impl fmt::Display for Name {
    /// The name for people; what is not UTF-8 in it is replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_name_is_a_name() {
        for text in ["blue", "-x", "a b", "...", "é", &"x".repeat(255)] {
            assert_eq!(Name::new(text).unwrap().to_string(), text);
        }
        assert!(Name::new(OsStr::from_bytes(b"\xff")).is_ok());
    }

    #[test]
    fn what_leaves_the_directory_is_refused_with_the_reason() {
        for text in ["", ".", "..", "a/b", "/", "a\0", &"x".repeat(256)] {
            let error = Name::new(text).unwrap_err().to_string();
            assert!(error.starts_with("invalid network namespace name"), "{error}");
        }
    }
}
