//! Which process has a socket.

use std::fs;
use std::path::Path;

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
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors
        .flatten()
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target == Path::new(wanted)))
}
