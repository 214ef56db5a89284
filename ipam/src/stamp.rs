//! How the lease directory was when our last operation ended.
//!
//! If it is different now, somebody else was there, and the hints are worthless. The time alone would not
//! do: before Linux 6.13 it moves by some milliseconds at once. What it may miss for that long is harmless,
//! for hints are only hints, but for a lease that somebody else made. Whoever makes one writes down which.

use std::net::IpAddr;

use crate::scan::LastLeases;

/// A format that the next one must not be taken for.
const HEAD: &str = "leases-1";

/// Time and last leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// When the directory changed, in seconds and nanoseconds.
    pub(crate) changed: (i64, i64),
    /// The contents of all `last_reserved_ip` files.
    pub(crate) last: LastLeases,
}

impl Stamp {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut head = lines.next()?.split(' ');
        if head.next()? != HEAD {
            return None;
        }
        let changed = (head.next()?.parse().ok()?, head.next()?.parse().ok()?);
        let last = lines.map(|line| {
            let (set, address) = line.split_once(' ')?;
            Some((set.parse().ok()?, address.parse::<IpAddr>().ok()))
        });
        Some(Self { changed, last: last.collect::<Option<_>>()? })
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, nanoseconds) = self.changed;
        write!(f, "{HEAD} {seconds} {nanoseconds}")?;
        for (set, address) in &self.last {
            match address {
                Some(address) => write!(f, "\n{set} {address}")?,
                None => write!(f, "\n{set} -")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_way_to_text_and_back() {
        let last = [(0, "10.0.0.7".parse().ok()), (1, None), (12, "fd00::7".parse().ok())];
        for last in [LastLeases::new(), LastLeases::from(last)] {
            let stamp = Stamp { changed: (1_700_000_000, 5), last };
            assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
        }
    }

    #[test]
    fn what_was_crossed_out_or_torn_is_no_stamp() {
        for text in ["", "-eases-1 1 2", "leases-1", "leases-1 1", "leases-2 1 2", "leases-1 1 2\n0"] {
            assert_eq!(Stamp::parse(text), None, "{text:?}");
        }
    }
}
