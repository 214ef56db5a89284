//! When this machine was started.

use std::time::{Duration, SystemTime};

use nix::time::{ClockId, clock_gettime};

/// The time of the boot. What is older was not made by anyone who still runs.
pub(crate) fn time() -> Option<SystemTime> {
    let up = clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?;
    SystemTime::now().checked_sub(Duration::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_lies_in_the_past() {
        assert!(time().unwrap() < SystemTime::now());
    }
}
