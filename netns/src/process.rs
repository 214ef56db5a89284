//! Which processes are in a namespace, and in which namespace a process is.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::{Identity, Netns};

/// Why the processes cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `/proc` cannot be read.
    #[error("list processes in /proc")]
    List {
        /// What the kernel says.
        source: io::Error,
    },
}

/// Where the namespace of process `pid` is; nothing is there when the process is dead.
#[must_use]
pub fn path_of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/ns/net"))
}

/// The processes whose first thread is in `netns`, in ascending order.
///
/// # Errors
/// [`Error::List`]. Processes that end meanwhile, or that we may not look at, are left out.
pub fn pids(netns: &Netns) -> Result<Vec<u32>, Error> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|source| Error::List { source })? {
        let entry = entry.map_err(|source| Error::List { source })?;
        let Some(pid) = entry.file_name().to_str().and_then(|text| text.parse().ok()) else { continue };
        if Identity::of_path(path_of(pid)).is_ok_and(|found| found == netns.identity()) {
            pids.push(pid);
        }
    }
    pids.sort_unstable();
    Ok(pids)
}
