//! What kind of namespace a descriptor stands for: the one question that nix has no safe call for.
#![allow(unsafe_code)]

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::sched::CloneFlags;

mod request {
    nix::ioctl_none!(
        /// `NS_GET_NSTYPE` of `linux/nsfs.h`: answers the `CLONE_NEW*` flag of the namespace.
        ns_get_nstype, 0xb7, 0x3
    );
}

/// A kind of namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Interfaces, routes, firewall: the kind that this crate is about.
    Network,
    /// Mount points.
    Mount,
    /// Process ids.
    Pid,
    /// Host name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// User and group ids.
    User,
    /// Control groups.
    Cgroup,
    /// Clocks, or whatever the kernel invents next.
    Other,
}

impl Kind {
    /// Asks the kernel. `namespace` must be a file of nsfs: other files may understand the same request
    /// number differently.
    pub(crate) fn of(namespace: BorrowedFd<'_>) -> nix::Result<Self> {
        // SAFETY: the descriptor is open as long as it is borrowed, and the request takes no argument, so
        // that the kernel touches no memory of ours.
        let flag = unsafe { request::ns_get_nstype(namespace.as_raw_fd()) }?;
        Ok(match CloneFlags::from_bits_truncate(flag) {
            CloneFlags::CLONE_NEWNET => Self::Network,
            CloneFlags::CLONE_NEWNS => Self::Mount,
            CloneFlags::CLONE_NEWPID => Self::Pid,
            CloneFlags::CLONE_NEWUTS => Self::Uts,
            CloneFlags::CLONE_NEWIPC => Self::Ipc,
            CloneFlags::CLONE_NEWUSER => Self::User,
            CloneFlags::CLONE_NEWCGROUP => Self::Cgroup,
            _ => Self::Other,
        })
    }
}

impl fmt::Display for Kind {
    /// As in `expected a network namespace, found a mount namespace`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "a network namespace",
            Self::Mount => "a mount namespace",
            Self::Pid => "a pid namespace",
            Self::Uts => "a uts namespace",
            Self::Ipc => "an ipc namespace",
            Self::User => "a user namespace",
            Self::Cgroup => "a cgroup namespace",
            Self::Other => "another kind of namespace",
        })
    }
}
