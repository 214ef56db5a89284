//! Why an entry of an archive is refused, and which entry that is.

use crate::limits::{LimitExceeded, limit_behind};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The name of an entry as the archive has it, which need not be text, nor short.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryName {
    /// The entry of this name.
    Of(Vec<u8>),
    /// What comes after the entry of this name, and has no name that could be read.
    After(Vec<u8>),
    /// The first entry, which has no name that could be read.
    First,
}

/// Longer names are cut: a terminal is for people.
const LONGEST_SHOWN: usize = 300;

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |name: &[u8]| match std::str::from_utf8(&name[..name.len().min(LONGEST_SHOWN)]) {
            Ok(text) => format!("\"{}\"", text.escape_debug()),
            Err(_) => format!("\"{}\"", name[..name.len().min(LONGEST_SHOWN)].escape_ascii()),
        };
        match self {
            Self::Of(name) => write!(f, "entry {}", show(name)),
            Self::After(name) => write!(f, "the entry after {}", show(name)),
            Self::First => f.write_str("the first entry"),
        }
    }
}

/// What is wrong with an entry, or what the kernel said of it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Fault {
    #[error("its path is absolute")]
    Absolute,
    #[error("its path leads upward with \"..\"")]
    Upward,
    #[error("it has a NUL byte in its {0}")]
    Nul(&'static str),
    #[error("it has no name")]
    NoName,
    #[error("it is a device node, which no container needs: /dev is made when it starts")]
    Device,
    #[error("its type {:?} is none that an archive of files has", char::from(*.0))]
    Kind(u8),
    #[error("it is a sparse file in the PAX format, which docker and podman never write")]
    PaxSparse,
    #[error("its way leads through {}, which is a symbolic link", .0.display())]
    ThroughLink(PathBuf),
    #[error("its way leads through {}, which is no folder", .0.display())]
    ThroughFile(PathBuf),
    #[error("the root would no longer be a folder")]
    Root,
    #[error("it is a hard link to {}, which came in no entry before it", .0.display())]
    NoTarget(PathBuf),
    #[error("it is a hard link to {}, which is a folder", .0.display())]
    LinkToFolder(PathBuf),
    #[error("the target of its link is refused")]
    Target(#[source] Box<Fault>),
    #[error("it is a link to nothing")]
    EmptyTarget,
    #[error("it removes {0:?}, which is no name of a file")]
    Whiteout(String),
    #[error("its attribute {0:?} is for the kernel's own use")]
    Attribute(String),
    #[error("its field {0} is no number in range")]
    Number(&'static str),
    #[error("this file system cannot keep its attribute {name:?}")]
    KeepAttribute { name: String, source: io::Error },
    #[error("mark what lower layers have as removed")]
    MarkRemoved(#[source] io::Error),
    #[error("a limit is met")]
    Limit(#[from] LimitExceeded),
    #[error("read the archive")]
    Read(#[source] io::Error),
    #[error("{0}")]
    Write(&'static str, #[source] io::Error),
}

impl Fault {
    /// An error of reading; a limit that was met while reading is that limit.
    pub(crate) fn reading(error: io::Error) -> Self {
        limit_behind(&error).map_or(Self::Read(error), Self::Limit)
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Device => "build the image without device nodes: `tar --delete` takes an entry away".into(),
            Self::Limit(LimitExceeded::Header { .. }) => return None,
            Self::Limit(_) => "whoever trusts the archive may raise the limit".into(),
            Self::KeepAttribute { .. } | Self::MarkRemoved(_) => {
                "images are unpacked by root, on a file system with extended attributes, such as ext4 or xfs"
                    .into()
            }
            Self::Read(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the archive ends too early: compare its size and digest with the original's".into()
            }
            _ => return None,
        })
    }
}

/// An entry that was refused, in which archive or layer.
#[derive(Debug, thiserror::Error)]
#[error("unpack {entry} of {archive}")]
pub struct RefusedEntry {
    /// The file, or the layer by its place in the image.
    pub archive: String,
    /// The entry.
    pub entry: EntryName,
    /// Why.
    #[source]
    pub fault: Fault,
}

impl RefusedEntry {
    /// The way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.fault.hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_what_a_terminal_would_obey() {
        assert_eq!(EntryName::Of(b"a\x1b[31m".to_vec()).to_string(), r#"entry "a\u{1b}[31m""#);
        assert_eq!(EntryName::Of(b"\xff/b".to_vec()).to_string(), r#"entry "\xff/b""#);
        assert!(EntryName::After(vec![b'x'; 5000]).to_string().len() < 400);
    }
}
