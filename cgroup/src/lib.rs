//! Control groups: v1, v2, and both side by side. See cgroups(7) and, for v2, the kernel's admin-guide/cgroup-v2.rst.
//!
//! A [`Group`] is the same path in each hierarchy that is used. Which those are, docs/cgroups.md tells and why.

mod bpf;
mod devices;
mod error;
mod files;
mod group;
mod hierarchies;
mod limits;
mod usage;

use std::os::fd::OwnedFd;
use std::path::PathBuf;

pub use error::Error;
pub use group::Group;
pub use hierarchies::{Hierarchies, Hierarchy};
pub use usage::Usage;

/// What a process needs to enter a group.
#[derive(Debug, Default)]
pub struct Entrance {
    /// Files into which the process itself writes `0`. (Whoever writes another's number into `cgroup.procs` waits for
    /// a grace period of RCU: 5 to 20 ms.)
    pub files: Vec<OwnedFd>,
    /// The group's folder of v2: for `CLONE_INTO_CGROUP`.
    pub unified: Option<OwnedFd>,
    /// The group's folders below what is mounted side by side, by the names that they have there; empty where v2 is alone.
    pub folders: Vec<(String, PathBuf)>,
}
