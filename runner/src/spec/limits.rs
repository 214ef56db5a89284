//! Limits of setrlimit(2), by Docker's names.

use oci::Rlimit;
use rustix::process::{Resource, getrlimit};

use super::SpecError;
use crate::Limits;

const NAMES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// Limits as OCI names them.
pub(super) fn of(limits: &Limits) -> Result<Vec<Rlimit>, SpecError> {
    let may_raise = rustix::thread::capabilities(None)
        .is_ok_and(|sets| sets.effective.contains(rustix::thread::CapabilitySet::SYS_RESOURCE));
    let of_one = |limit: &crate::Ulimit| {
        let name = limit.name.to_ascii_lowercase();
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let (_, resource) = known.ok_or_else(|| SpecError::Limit(limit.name.clone()))?;
        let most = getrlimit(*resource).maximum.unwrap_or(u64::MAX);
        if limit.hard > most && !may_raise {
            return Err(SpecError::LimitTooHigh { name, wanted: limit.hard, most });
        }
        Ok(Rlimit {
            kind: format!("RLIMIT_{}", name.to_ascii_uppercase()),
            soft: limit.soft,
            hard: limit.hard,
        })
    };
    limits.ulimits.iter().map(of_one).collect()
}
