//! Paths of namespaces, as people write them.

use std::io;
use std::path::{Component, Path, PathBuf};

/// The absolute path that `text` means, without `.` and `..`. It follows from the text and the current folder alone, as
/// cnitool has it: an id that is made of it must be the same when the file is gone.
///
/// # Errors
/// As [`std::path::absolute`]: the text is empty, or the current folder is not known.
pub fn absolute(text: impl AsRef<Path>) -> io::Result<PathBuf> {
    let mut cleaned = PathBuf::new();
    for component in std::path::absolute(text)?.components() {
        match component {
            Component::ParentDir => drop(cleaned.pop()),
            Component::CurDir => {}
            other => cleaned.push(other),
        }
    }
    Ok(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_the_same_however_it_is_written() {
        for text in ["/run/netns/blue", "/run/./netns/../netns//blue/", "/../run/netns/blue"] {
            assert_eq!(absolute(text).unwrap(), Path::new("/run/netns/blue"), "{text}");
        }
        assert_eq!(absolute("blue").unwrap(), std::env::current_dir().unwrap().join("blue"));
        assert!(absolute("").is_err());
    }
}
