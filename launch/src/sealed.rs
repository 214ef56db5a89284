//! This program, so that nobody can write to it by way of a container.
//!
//! While a process of ours prepares to become a container's program, `/proc/PID/exe` in the container is the host's
//! `netctl` (CVE-2019-5736). Executed through a mount that is read-only, nobody can write to it from there.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, fstatvfs, openat};
use rustix::mount::{MountAttrFlags, OpenTreeFlags, open_tree};

use crate::sys;

/// A descriptor of this very program on a read-only mount that is nowhere: for `/proc/self/fd/N`.
///
/// # Errors
/// What the kernel says; it takes `CAP_SYS_ADMIN`.
pub fn sealed_program() -> io::Result<OwnedFd> {
    let program = own_file()?;
    if is_read_only(&program)? {
        // Such a mount already, or a host that nobody can write to.
        return Ok(program);
    }
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let mount = open_tree(&program, "", flags)?;
    let read_only = MountAttrFlags::MOUNT_ATTR_RDONLY.bits().into();
    sys::set_mount_attributes(mount.as_fd(), read_only, 0, libc::MS_PRIVATE, false)?;
    Ok(mount)
}

/// Whether this process was executed by such a descriptor, or from where nobody can write to.
///
/// # Errors
/// What the kernel says.
pub fn is_sealed() -> io::Result<bool> {
    is_read_only(&own_file()?)
}

fn own_file() -> io::Result<OwnedFd> {
    Ok(openat(CWD, "/proc/self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

fn is_read_only(file: &OwnedFd) -> io::Result<bool> {
    Ok(fstatvfs(file)?.f_flag.contains(StatVfsMountFlags::RDONLY))
}
