//! Limits of setrlimit(2) by their names.

use rustix::io::Errno;

use crate::failure::{Failure, Outcome, Tried};
use crate::sys;

/// asm-generic/resource.h, in the order of their numbers.
const NAMES: [&str; 16] = [
    "CPU",
    "FSIZE",
    "DATA",
    "STACK",
    "CORE",
    "RSS",
    "NPROC",
    "NOFILE",
    "MEMLOCK",
    "AS",
    "LOCKS",
    "SIGPENDING",
    "MSGQUEUE",
    "NICE",
    "RTPRIO",
    "RTTIME",
];

/// One limit.
pub(super) struct Limit {
    name: &'static str,
    resource: u32,
    soft: u64,
    hard: u64,
}

pub(super) fn of(limits: &[oci::Rlimit]) -> Outcome<Vec<Limit>> {
    let found = limits.iter().map(|limit| {
        let name = limit.kind.strip_prefix("RLIMIT_").unwrap_or(&limit.kind);
        let resource = NAMES.iter().position(|known| *known == name);
        let resource =
            resource.ok_or_else(|| Failure::new(format!("find limit {:?}", limit.kind), Errno::INVAL))?;
        let number = u32::try_from(resource).unwrap_or(u32::MAX);
        Ok(Limit { name: NAMES[resource], resource: number, soft: limit.soft, hard: limit.hard })
    });
    found.collect()
}

impl Limit {
    pub(super) fn set(&self) -> Outcome {
        let Self { name, soft, hard, .. } = self;
        sys::set_limit(self.resource, *soft, *hard).tried(|| format!("set limit {name} to {soft}:{hard}"))
    }
}
