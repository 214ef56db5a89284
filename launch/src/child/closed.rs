//! What of the kernel's files a container may not read, or not write.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::Linux;
use rustix::fs::{FileType, fstat};

use super::mounts::{READ_ONLY, copy, cover, empty_folder, open_path};
use super::target::{Missing, find_or_make};
use crate::failure::{Outcome, Tried};
use crate::sys;

/// What is laid over files: the host's `/dev/null`, opened before its root is left.
pub(super) struct Cover(Option<OwnedFd>);

impl Cover {
    pub(super) fn open(linux: &Linux) -> Outcome<Self> {
        if linux.masked_paths.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(open_path("/dev/null").and_then(|null| copy(&null, false)).tried(|| "open /dev/null")?)))
    }
}

/// Covers what is not to be read and makes read-only what is not to be written. What is not there is fine.
pub(super) fn close_all(linux: &Linux, over: Cover) -> Outcome {
    for path in &linux.readonly_paths {
        make_read_only(path)?;
    }
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for path in &linux.masked_paths {
        let Some(target) = find_or_make(path, Missing::Nothing)? else { continue };
        let mode = fstat(&target).tried(|| format!("look at {}", path.display()))?.st_mode;
        let is_folder = FileType::from_raw_mode(mode) == FileType::Directory;
        if is_folder { &mut folders } else { &mut files }.push((path, target));
    }
    if !folders.is_empty() {
        mask(&folders, empty_folder()?)?;
    }
    match over.0 {
        Some(null) => mask(&files, null),
        None => Ok(()),
    }
}

/// Lays one mount over all of them: copies, and in the end itself. (A mount that is closed without having been used takes
/// a grace period of RCU.)
fn mask(targets: &[(&PathBuf, OwnedFd)], with: OwnedFd) -> Outcome {
    let Some(((last_path, last), others)) = targets.split_last() else { return Ok(()) };
    for (path, target) in others {
        let what = || format!("mask {}", path.display());
        cover(target, &copy(&with, false).tried(what)?).tried(what)?;
    }
    cover(last, &with).tried(|| format!("mask {}", last_path.display()))
}

fn make_read_only(path: &Path) -> Outcome {
    let what = || format!("make {} read-only", path.display());
    let Some(target) = find_or_make(path, Missing::Nothing)? else { return Ok(()) };
    let mount = copy(&target, true).tried(what)?;
    sys::set_mount_attributes(mount.as_fd(), READ_ONLY.bits().into(), 0, 0, true).tried(what)?;
    cover(&target, &mount).tried(what)
}
