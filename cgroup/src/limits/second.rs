//! Limits as v2 wants them: the kernel's admin-guide/cgroup-v2.rst.

use oci::Resources;

/// What is written into which file, in this order.
pub(super) fn files(resources: &Resources) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut add =
        |name: &str, value: Option<String>| files.extend(value.map(|value| (name.to_owned(), value)));
    let memory = resources.memory.clone().unwrap_or_default();
    add("memory.max", memory.limit.map(bytes));
    add("memory.swap.max", swap(&memory));
    add("memory.low", memory.reservation.map(bytes));
    let cpu = resources.cpu.clone().unwrap_or_default();
    add("cpu.weight", cpu.shares.filter(|shares| *shares > 0).map(|shares| weight(shares).to_string()));
    add("cpu.max", time(&cpu));
    add("cpuset.cpus", cpu.cpus);
    add("cpuset.mems", cpu.mems);
    add("pids.max", resources.pids.as_ref().map(|pids| bytes(pids.limit)));
    for pages in &resources.hugepage_limits {
        add(&format!("hugetlb.{}.max", pages.page_size), Some(pages.limit.to_string()));
    }
    files
}

fn bytes(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".to_owned() }
}

/// OCI counts memory and swap together, v2 swap alone. Without a word of it, as much of it as of memory.
fn swap(memory: &oci::Memory) -> Option<String> {
    let limit = memory.limit.filter(|limit| *limit > 0);
    match (memory.swap, limit) {
        (Some(-1), _) => Some("max".to_owned()),
        (Some(together), Some(limit)) if together > 0 => Some((together - limit).max(0).to_string()),
        (_, Some(limit)) => Some(limit.to_string()),
        _ => None,
    }
}

/// 2 to 262144 of v1 become 1 to 10000 (OCI runtime specification, runc's conversion of old).
fn weight(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

fn time(cpu: &oci::Cpu) -> Option<String> {
    if cpu.quota.is_none() && cpu.period.is_none() {
        return None;
    }
    let quota = cpu.quota.filter(|quota| *quota > 0).map_or("max".to_owned(), |quota| quota.to_string());
    Some(format!("{quota} {}", cpu.period.unwrap_or(100_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(limit: Option<i64>, swap: Option<i64>) -> oci::Memory {
        oci::Memory { limit, reservation: None, swap }
    }

    #[test]
    fn swap_is_counted_alone() {
        assert_eq!(swap(&memory(Some(100), Some(150))).as_deref(), Some("50"));
        assert_eq!(swap(&memory(Some(100), None)).as_deref(), Some("100"));
        assert_eq!(swap(&memory(Some(100), Some(-1))).as_deref(), Some("max"));
        assert_eq!(swap(&memory(None, None)), None);
    }

    #[test]
    fn shares_become_weights_and_quotas_become_shares_of_a_period() {
        assert_eq!((weight(2), weight(1024), weight(262_144)), (1, 39, 10_000));
        let cpu = oci::Cpu { quota: Some(50_000), ..oci::Cpu::default() };
        assert_eq!(time(&cpu).as_deref(), Some("50000 100000"));
        let cpu = oci::Cpu { period: Some(20_000), ..oci::Cpu::default() };
        assert_eq!(time(&cpu).as_deref(), Some("max 20000"));
    }

    #[test]
    fn no_limit_is_max() {
        let pids = |limit| Resources { pids: Some(oci::Pids { limit }), ..Resources::default() };
        let written = |limit| files(&pids(limit)).pop().map(|(_, value)| value);
        assert_eq!((written(7).as_deref(), written(-1).as_deref()), (Some("7"), Some("max")));
    }
}
