//! The container's root becomes this process's root, and the host's is out of reach.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci::Spec;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
    mount, mount_change, move_mount, open_tree, unmount,
};
use rustix::process::{fchdir, pivot_root};

use crate::RootFs;
use crate::failure::{Failure, Outcome, Tried};
use crate::sys;

/// Mounts the root file system at `spec.root.path`, seen by this process alone, and enters it.
pub(super) fn enter(spec: &Spec, root: RootFs<'_>) -> Outcome {
    // What is mounted from here on is not seen by the host, and what the host mounts not by the container, unless asked for.
    let (propagation, word) = match spec.linux.rootfs_propagation.as_deref() {
        Some("shared" | "rshared") => (MountPropagationFlags::SHARED, "shared"),
        Some("slave" | "rslave") => (MountPropagationFlags::DOWNSTREAM, "slave"),
        _ => (MountPropagationFlags::PRIVATE, "private"),
    };
    mount_change("/", propagation | MountPropagationFlags::REC)
        .tried(|| format!("make all mounts {word}"))?;
    let place = &spec.root.path;
    let mounted = mount_root(root)?;
    move_mount(&mounted, "", CWD, place, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .tried(|| format!("mount the root file system at {}", place.display()))?;
    // pivot_root(2) refuses a mount that others share.
    sys::set_mount_attributes(mounted.as_fd(), 0, 0, libc::MS_PRIVATE, true)
        .tried(|| format!("make the mount at {} private", place.display()))?;
    fchdir(&mounted).tried(|| format!("enter {}", place.display()))?;
    // The old root comes to lie on the new one, where it is unmounted with everything below.
    pivot_root(".", ".").tried(|| format!("make {} the root", place.display()))?;
    unmount(".", UnmountFlags::DETACH).tried(|| "unmount the host's root")?;
    rustix::process::chdir("/").tried(|| "enter the container's root")
}

/// The root file system, mounted nowhere yet.
pub(crate) fn mount_root(root: RootFs<'_>) -> Outcome<OwnedFd> {
    match root {
        RootFs::Overlay { lower, upper, work, volatile } => overlay(lower, upper, work, volatile),
        RootFs::Folder(folder) => copy_of(folder),
    }
}

/// Makes the root read-only, if that is wished, when everything is in its place.
pub(super) fn seal(spec: &Spec) -> Outcome {
    if !spec.root.readonly {
        return Ok(());
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, "/", flags, Mode::empty()).tried(|| "open the container's root")?;
    sys::set_mount_attributes(root.as_fd(), MountAttrFlags::MOUNT_ATTR_RDONLY.bits().into(), 0, 0, false)
        .tried(|| "make the container's root read-only")
}

/// The folder and all that is mounted below, as a mount of its own.
fn copy_of(folder: &Path) -> Outcome<OwnedFd> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    open_tree(CWD, folder, flags).tried(|| format!("open root file system {}", folder.display()))
}

fn overlay(lower: &[PathBuf], upper: &Path, work: &Path, volatile: bool) -> Outcome<OwnedFd> {
    let file_system = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .tried(|| "open overlayfs, which this kernel may not have")?;
    let set = |key: &str, path: &Path| {
        let set = fsconfig_set_string(file_system.as_fd(), key, path);
        set.tried(|| format!("add {key} {} to overlayfs", path.display()))
    };
    for folder in lower {
        match set("lowerdir+", folder) {
            Ok(()) => {}
            // Linux 6.5 brought it; until then all are one word.
            Err(failure) if failure.source.raw_os_error() == Some(libc::EINVAL) => {
                return overlay_in_one_word(lower, upper, work);
            }
            Err(failure) => return Err(failure),
        }
    }
    set("upperdir", upper)?;
    set("workdir", work)?;
    if volatile {
        // Linux 5.10 brought it; until then the end takes longer.
        let _ = fsconfig_set_flag(file_system.as_fd(), "volatile");
    }
    let what = || format!("mount overlayfs of {} layers below {}", lower.len(), upper.display());
    fsconfig_create(file_system.as_fd()).tried(what)?;
    fsmount(file_system.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty()).tried(what)
}

/// mount(2) takes a page of options.
fn overlay_in_one_word(lower: &[PathBuf], upper: &Path, work: &Path) -> Outcome<OwnedFd> {
    let what = || format!("mount overlayfs of {} layers below {}", lower.len(), upper.display());
    let escaped = |path: &Path| {
        let text = path.to_str().ok_or_else(|| Failure::new(what(), rustix::io::Errno::ILSEQ))?;
        Ok(text.replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,"))
    };
    let lower = lower.iter().map(|path| escaped(path)).collect::<Outcome<Vec<_>>>()?.join(":");
    let options = format!("lowerdir={lower},upperdir={},workdir={}", escaped(upper)?, escaped(work)?);
    let options = std::ffi::CString::new(options).tried(what)?;
    mount("overlay", work, "overlay", MountFlags::empty(), options.as_c_str()).tried(what)?;
    let mounted = copy_of(work)?;
    unmount(work, UnmountFlags::DETACH).tried(|| format!("unmount {}", work.display()))?;
    Ok(mounted)
}
