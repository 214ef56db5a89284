//! Files of a hierarchy: short, and written at once.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::Error;

/// Writes `value`; the error names it.
pub(crate) fn write(folder: &Path, name: &str, value: &str) -> Result<(), Error> {
    let path = folder.join(name);
    let written = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(Error::file(&format!("write {value:?} to"), &path))
}

/// What stands in a file; nothing, if there is none.
pub(crate) fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

/// The number in a file; nothing, if there is none, or no limit.
pub(crate) fn number(folder: &Path, name: &str) -> Option<u64> {
    read(folder, name)?.trim().parse().ok()
}

/// The number after `key` in a file of such pairs.
pub(crate) fn number_of(folder: &Path, name: &str, key: &str) -> Option<u64> {
    let text = read(folder, name)?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The processes that a file lists.
pub(crate) fn pids(folder: &Path) -> Vec<i32> {
    let text = read(folder, "cgroup.procs").unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Makes a folder that may be there already.
pub(crate) fn ensure_folder(path: &Path) -> Result<(), Error> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Ok(()) => Ok(()),
        Err(error) => Err(Error::file("create control group", path)(error)),
    }
}
