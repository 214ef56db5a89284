//! The root file system of a container that does not run, to look into and to write to.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::CWD;
use rustix::mount::{MountPropagationFlags, MoveMountFlags, mount_change, move_mount};

use crate::child::mount_root;
use crate::{Error, RootFs, sys};

/// A mount of it that is nowhere: it is reached by this descriptor alone, and gone when that is closed. No two may be there
/// of one upper layer.
///
/// # Errors
/// [`Error::Step`].
pub fn view(root: RootFs<'_>) -> Result<OwnedFd, Error> {
    Ok(mount_root(root)?)
}

/// Mounts it at `place`, where this process sees it, and those that it starts from now on; nobody else.
///
/// # Errors
/// [`Error::Step`].
pub fn mount_apart(root: RootFs<'_>, place: &Path) -> Result<(), Error> {
    let apart = || "create a mount namespace";
    sys::unshare(libc::CLONE_NEWNS).map_err(|source| Error::step(apart(), source))?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .map_err(|source| Error::step("make all mounts private", source))?;
    let mounted = view(root)?;
    move_mount(&mounted, "", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(|source| Error::step(format!("mount the root file system at {}", place.display()), source))
}
