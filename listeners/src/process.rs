//! Which process has a socket, and which sockets a process has.

use std::fs;
use std::path::{Path, PathBuf};

/// The process with the lowest number that has the socket, and its program's name. Processes that may not be looked
/// into, and those that end meanwhile, are passed over.
pub(crate) fn holder(inode: u64) -> Option<(i32, Option<String>)> {
    // Sockets of the kernel's own have none.
    let wanted = (inode != 0).then(|| format!("socket:[{inode}]"))?;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids: Vec<i32> =
        processes.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok())).collect();
    pids.sort_unstable();
    let pid = pids.into_iter().find(|pid| has(*pid, &wanted))?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm")).ok();
    Some((pid, program.map(|name| name.trim_end_matches('\n').to_owned())))
}

fn has(pid: i32, wanted: &str) -> bool {
    descriptors(pid).any(|target| target == Path::new(wanted))
}

/// The sockets of a process; none of one that has ended or may not be looked into.
pub(crate) fn sockets(pid: i32) -> impl Iterator<Item = u64> {
    descriptors(pid).filter_map(|target| {
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        inode.parse().ok()
    })
}

/// What the descriptors of a process stand for.
fn descriptors(pid: i32) -> impl Iterator<Item = PathBuf> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    links.filter_map(|link| fs::read_link(link.path()).ok())
}
