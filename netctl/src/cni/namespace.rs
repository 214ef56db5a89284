//! From what a person calls a namespace to its path, and from the path to an id for the container.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use netns::{Directory, Name, Netns};
use sha2::{Digest, Sha512};
use vocab::{ContainerId, InvalidName};

use crate::netns::names;

/// Why a text is no namespace.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It is no name.
    #[error("find network namespace {text:?}")]
    Name { text: String, source: netns::InvalidName },
    /// It has no absolute path.
    #[error("find network namespace {}", path.display())]
    Path { path: PathBuf, source: io::Error },
    /// It is not there.
    #[error("find the network namespace of the container")]
    Open { source: netns::Error, hint: Option<String> },
}

impl Fault for Error {
    fn code(&self) -> Code {
        Code::INVALID_NETNS
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Open { hint, .. } => hint.clone(),
            Self::Name { .. } | Self::Path { .. } => None,
        }
    }
}

/// The absolute path of the namespace that `text` means: a path, a name in `directory`, or the number of a
/// process. It need not be there: DEL is for those that are gone, too.
pub(super) fn path_of(text: &OsStr, directory: &Directory) -> Result<PathBuf, Error> {
    if text.as_bytes().contains(&b'/') {
        let absolute = netns::path::absolute(text);
        return absolute.map_err(|source| Error::Path { path: text.into(), source });
    }
    let wrong = |source| Error::Name { text: text.to_string_lossy().into_owned(), source };
    let named = directory.path_of(&Name::new(text).map_err(wrong)?);
    let process = text.to_str().and_then(|text| text.parse().ok());
    match process {
        Some(pid) if !named.exists() => Ok(netns::process::path_of(pid)),
        _ => Ok(named),
    }
}

/// Makes sure that the namespace is there, or says what may have been meant.
pub(super) fn require(path: &Path, directory: &Directory) -> Result<(), Error> {
    let missing = |source: netns::Error| {
        let name = path.strip_prefix(directory.path()).ok().and_then(|name| Name::new(name).ok());
        let hint = name.filter(|_| source.is_gone()).map(|name| names::instead_of(directory, &name));
        Error::Open { source, hint }
    };
    Netns::open(path).map(drop).map_err(missing)
}

/// The id of a container that has none: cnitool's, so that either takes away what the other made.
pub(super) fn container_of(path: &Path) -> Result<ContainerId, InvalidName> {
    let digest = Sha512::digest(path.as_os_str().as_bytes());
    let digits: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    ContainerId::new(&format!("cnitool-{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_that_of_cnitool() {
        // printf /var/run/netns/testing | sha512sum
        let id = container_of(Path::new("/var/run/netns/testing")).unwrap();
        assert_eq!(id.as_str(), "cnitool-77383ca0a0715733ca6f");
    }

    #[test]
    fn a_namespace_is_a_path_a_name_or_a_process() {
        let directory = Directory::new("/nonexistent/netns");
        let path = |text: &str| path_of(OsStr::new(text), &directory).unwrap();
        assert_eq!(path("/run/netns/./a/../b"), Path::new("/run/netns/b"));
        assert_eq!(path("./a"), std::env::current_dir().unwrap().join("a"));
        assert_eq!(path("blue"), Path::new("/nonexistent/netns/blue"));
        assert_eq!(path("4242"), Path::new("/proc/4242/ns/net"));
        assert!(path_of(OsStr::new(".."), &directory).is_err());
    }
}
