//! What a group uses.

use crate::files::{number, number_of, read};
use crate::group::Member;

/// What a group uses, and has used. What its host does not count is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory in bytes, without files that are cached and have not been used lately, as Docker counts.
    pub memory: u64,
    /// The limit of memory in bytes; nothing without one.
    pub memory_limit: Option<u64>,
    /// Processor time in nanoseconds.
    pub cpu: u64,
    /// Tasks.
    pub pids: u64,
    /// Bytes read from block devices.
    pub read: u64,
    /// Bytes written to block devices.
    pub written: u64,
}

/// v1 shows no limit as the largest number of whole pages.
const UNLIMITED: u64 = i64::MAX as u64 - 0xffff;

pub(crate) fn of<'a>(members: impl Iterator<Item = &'a Member>) -> Usage {
    let mut usage = Usage::default();
    for member in members {
        if member.is_unified { unified(member, &mut usage) } else { by_controller(member, &mut usage) }
    }
    usage
}

fn by_controller(member: &Member, usage: &mut Usage) {
    let folder = &member.folder;
    if member.has("memory") {
        let cached = number_of(folder, "memory.stat", "total_inactive_file").unwrap_or_default();
        usage.memory = number(folder, "memory.usage_in_bytes").unwrap_or_default().saturating_sub(cached);
        usage.memory_limit = number(folder, "memory.limit_in_bytes").filter(|limit| *limit < UNLIMITED);
    }
    if member.has("cpuacct") {
        usage.cpu = number(folder, "cpuacct.usage").unwrap_or_default();
    }
    if member.has("pids") {
        usage.pids = number(folder, "pids.current").unwrap_or_default();
    }
    if member.has("blkio") {
        let text = read(folder, "blkio.throttle.io_service_bytes_recursive").unwrap_or_default();
        usage.read += sum(&text, " Read ");
        usage.written += sum(&text, " Write ");
    }
}

fn unified(member: &Member, usage: &mut Usage) {
    let folder = &member.folder;
    if let Some(memory) = number(folder, "memory.current") {
        usage.memory =
            memory.saturating_sub(number_of(folder, "memory.stat", "inactive_file").unwrap_or_default());
        usage.memory_limit = number(folder, "memory.max");
    }
    // Every group of v2 counts its time, with the controller or without; where v1 counts too, it counts the same.
    if let Some(microseconds) = number_of(folder, "cpu.stat", "usage_usec") {
        usage.cpu = usage.cpu.max(microseconds * 1000);
    }
    if let Some(pids) = number(folder, "pids.current") {
        usage.pids = pids;
    }
    let text = read(folder, "io.stat").unwrap_or_default();
    usage.read += sum(&text, " rbytes=");
    usage.written += sum(&text, " wbytes=");
}

/// The numbers that stand after `key`, together: one a device.
fn sum(text: &str, key: &str) -> u64 {
    let of_line = |line: &str| {
        let (_, after) = line.split_once(key)?;
        after.split(' ').next()?.parse::<u64>().ok()
    };
    text.lines().filter_map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_moved_is_added_up() {
        let first = "254:0 Read 4096\n254:0 Write 10\n254:16 Read 4\nTotal 4110\n";
        assert_eq!((sum(first, " Read "), sum(first, " Write ")), (4100, 10));
        let second = "254:0 rbytes=100 wbytes=7 rios=1\n254:16 rbytes=1 wbytes=2 rios=1\n";
        assert_eq!((sum(second, " rbytes="), sum(second, " wbytes=")), (101, 9));
    }
}
