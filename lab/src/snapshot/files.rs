//! Facts that are read from a host's file tree, without a process inside.

use super::Error;
use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where programs of this trade keep state.
const STATE: [&str; 6] =
    ["etc/cni", "etc/netctl", "run", "var/lib/cni", "var/lib/netctl", "var/lib/containers"];

/// Written by `mount` and `iptables` whenever they run.
const NOT_STATE: [&str; 2] = ["/run/mount", "/run/xtables.lock"];

/// Files that are no longer than this are compared by content, longer ones by length.
const SHORT: u64 = 200;

pub(super) fn state(root: &Path) -> Result<Vec<String>, Error> {
    let mut facts = Vec::new();
    for folder in STATE {
        let top = root.join(folder);
        // A fresh folder is as good as an absent one, hence only what is below.
        if let Some(device) = present(&top, fs::symlink_metadata(&top))?.map(|of| of.dev()) {
            walk(root, &top, device, &mut facts)?;
        }
    }
    Ok(facts)
}

fn walk(root: &Path, top: &Path, device: u64, facts: &mut Vec<String>) -> Result<(), Error> {
    let mut folders = VecDeque::from([top.to_owned()]);
    while let Some(folder) = folders.pop_front() {
        for entry in present(&folder, fs::read_dir(&folder))?.into_iter().flatten() {
            let path = entry.map_err(|source| Error::Read { path: folder.clone(), source })?.path();
            let inside = Path::new("/").join(path.strip_prefix(root).unwrap_or(&path));
            let Some(metadata) = present(&path, fs::symlink_metadata(&path))? else { continue };
            if NOT_STATE.iter().any(|other| inside.starts_with(other)) {
                continue;
            }
            facts.push(format!("{} {}", inside.display(), describe(&path, &metadata)));
            // What is mounted below is a mount, and compared as such.
            if metadata.is_dir() && metadata.dev() == device {
                folders.push_back(path);
            }
        }
    }
    Ok(())
}

fn describe(path: &Path, metadata: &Metadata) -> String {
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_dir() {
        return format!("folder {mode:04o}");
    }
    if metadata.is_symlink() {
        return format!("-> {}", fs::read_link(path).unwrap_or_default().display());
    }
    if !metadata.is_file() || metadata.len() > SHORT {
        return format!("{mode:04o}, {} bytes", metadata.len());
    }
    // A namespace is a file that cannot be read.
    let content = fs::read(path).unwrap_or_default();
    format!("{mode:04o}, {:?}", String::from_utf8_lossy(&content))
}

pub(super) fn mounts(root: &Path) -> Result<Vec<String>, Error> {
    let text = read(&root.join("proc/1/mountinfo"))?;
    let facts = text.lines().filter_map(|line| {
        let (place, filesystem) = line.split_once(" - ")?;
        let (path, kind) = (place.split(' ').nth(4)?, filesystem.split(' ').next()?);
        Some(format!("{path} {kind}"))
    });
    Ok(facts.collect())
}

/// Dead children that their parent has not asked for yet are not counted: those of the first process are
/// about to go, and those of others show by their parent.
pub(super) fn processes(root: &Path) -> Result<Vec<String>, Error> {
    let folder = root.join("proc");
    let mut facts = Vec::new();
    for entry in present(&folder, fs::read_dir(&folder))?.into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let path = entry.path();
        let words = read(&path.join("cmdline"))?;
        let status = read(&path.join("stat"))?;
        let state = status.rsplit_once(')').map_or("", |(_, rest)| rest.trim_start());
        if !words.is_empty() && !state.starts_with('Z') {
            facts.push(shorten(&words.trim_end_matches('\0').replace('\0', " ")));
        }
    }
    Ok(facts)
}

fn shorten(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(120).collect()
}

/// The text of a file; none of one that has just gone.
fn read(path: &PathBuf) -> Result<String, Error> {
    let text = present(path, fs::read(path))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Things come and go while one looks: what is gone is no error. A process that has gone says "no such
/// process" on reading.
fn present<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, Error> {
    const NO_SUCH_PROCESS: i32 = 3;
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => Ok(None),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}
