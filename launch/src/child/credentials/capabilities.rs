//! Capabilities by their names.

use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use crate::failure::{Failure, Outcome};

/// The set of those names: `CAP_NET_RAW`.
pub(super) fn set_of(names: &[String]) -> Outcome<CapabilitySet> {
    let mut set = CapabilitySet::empty();
    for name in names {
        let short = name.strip_prefix("CAP_").unwrap_or(name);
        let known = CapabilitySet::from_name(short);
        set |= known.ok_or_else(|| Failure::new(format!("find capability {name:?}"), Errno::INVAL))?;
    }
    Ok(set)
}

/// The bits that this kernel knows: `/proc/sys/kernel/cap_last_cap`, without reading it.
pub(super) fn last_known() -> u64 {
    let is_known = |bit: &u32| {
        rustix::thread::capability_is_in_bounding_set(CapabilitySet::from_bits_retain(1 << bit)).is_ok()
    };
    (0..u64::BITS).take_while(is_known).fold(0, |bits, bit| bits | 1 << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_found_by_name() {
        let set = set_of(&["CAP_CHOWN".to_owned(), "CAP_NET_RAW".to_owned()]).expect("a set");
        assert_eq!(set.bits(), 1 | 1 << 13);
    }

    #[test]
    fn an_unknown_name_is_told() {
        let failure = set_of(&["CAP_FLY".to_owned()]).expect_err("refused");
        assert_eq!(failure.what, "find capability \"CAP_FLY\"");
    }
}
