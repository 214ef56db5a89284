//! Limits as v1 wants them: the kernel's admin-guide/cgroup-v1.

use std::io;

use oci::Resources;

use crate::group::Member;
use crate::{Error, files};

/// What is written into which file, in this order.
pub(super) fn files(resources: &Resources) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut add =
        |name: &str, value: Option<String>| files.extend(value.map(|value| (name.to_owned(), value)));
    let memory = resources.memory.clone().unwrap_or_default();
    add("memory.limit_in_bytes", memory.limit.map(|bytes| bytes.to_string()));
    // Memory and swap together, as OCI counts too; without a word of swap, as much of it as of memory.
    let swap = memory
        .swap
        .filter(|swap| *swap != 0)
        .or(memory.limit.filter(|bytes| *bytes > 0).map(|bytes| bytes * 2));
    add("memory.memsw.limit_in_bytes", swap.map(|bytes| bytes.to_string()));
    add("memory.soft_limit_in_bytes", memory.reservation.map(|bytes| bytes.to_string()));
    let cpu = resources.cpu.clone().unwrap_or_default();
    add("cpu.shares", cpu.shares.map(|shares| shares.to_string()));
    add("cpu.cfs_period_us", cpu.period.map(|period| period.to_string()));
    add("cpu.cfs_quota_us", cpu.quota.map(|quota| quota.to_string()));
    add("cpuset.cpus", cpu.cpus);
    add("cpuset.mems", cpu.mems);
    add("pids.max", resources.pids.as_ref().map(|pids| most(pids.limit)));
    for pages in &resources.hugepage_limits {
        add(&format!("hugetlb.{}.limit_in_bytes", pages.page_size), Some(pages.limit.to_string()));
    }
    files
}

fn most(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".to_owned() }
}

/// What a refused write means: the two limits of memory may only be set in the order in which the lower stays lower,
/// and a kernel that does not count swap has no file for it.
pub(super) fn settle(member: &Member, name: &str, value: &str, error: Error) -> Result<(), Error> {
    let Error::File { source, .. } = &error else { return Err(error) };
    match name {
        "memory.memsw.limit_in_bytes" if source.kind() == io::ErrorKind::NotFound => Ok(()),
        "memory.limit_in_bytes" if source.kind() == io::ErrorKind::InvalidInput => {
            // Raised above what memory and swap may be together: that limit is lifted first, and set again after this.
            files::write(&member.folder, "memory.memsw.limit_in_bytes", "-1")?;
            files::write(&member.folder, name, value)
        }
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_is_nothing_written() {
        assert_eq!(files(&Resources::default()), []);
    }

    #[test]
    fn limits_are_written_as_v1_wants_them() {
        let resources = Resources {
            memory: Some(oci::Memory { limit: Some(1 << 20), reservation: None, swap: None }),
            cpu: Some(oci::Cpu { quota: Some(50_000), period: Some(100_000), ..oci::Cpu::default() }),
            pids: Some(oci::Pids { limit: -1 }),
            ..Resources::default()
        };
        let written: Vec<_> =
            files(&resources).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            written,
            [
                "memory.limit_in_bytes=1048576",
                "memory.memsw.limit_in_bytes=2097152",
                "cpu.cfs_period_us=100000",
                "cpu.cfs_quota_us=50000",
                "pids.max=max",
            ]
        );
    }
}
