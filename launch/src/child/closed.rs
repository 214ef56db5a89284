//! What of the kernel's files a container may not read, or not write.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

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
pub(super) fn close_all(linux: &Linux, over: &Cover) -> Outcome {
    for path in &linux.readonly_paths {
        make_read_only(path)?;
    }
    let mut nothing = None;
    for path in &linux.masked_paths {
        mask(path, over, &mut nothing)?;
    }
    Ok(())
}

fn make_read_only(path: &Path) -> Outcome {
    let what = || format!("make {} read-only", path.display());
    let Some(target) = find_or_make(path, Missing::Nothing)? else { return Ok(()) };
    let mount = copy(&target, true).tried(what)?;
    sys::set_mount_attributes(mount.as_fd(), READ_ONLY.bits().into(), 0, 0, true).tried(what)?;
    cover(&target, &mount).tried(what)
}

fn mask(path: &Path, over: &Cover, nothing: &mut Option<OwnedFd>) -> Outcome {
    let what = || format!("mask {}", path.display());
    let Some(target) = find_or_make(path, Missing::Nothing)? else { return Ok(()) };
    let kind = fstat(&target).tried(what)?.st_mode;
    let with = match (FileType::from_raw_mode(kind) == FileType::Directory, nothing.take(), &over.0) {
        (true, None, _) => empty_folder()?,
        (true, Some(made), _) => made,
        (false, kept, Some(null)) => {
            *nothing = kept;
            let null = copy(null, false).tried(what)?;
            return cover(&target, &null).tried(what);
        }
        (false, _, None) => return Ok(()),
    };
    // One empty file system serves all: a copy is kept for the next.
    *nothing = Some(copy(&with, false).tried(what)?);
    cover(&target, &with).tried(what)
}
