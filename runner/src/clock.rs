//! What time it is, and in which life of the machine.

use std::fs;

/// Now: RFC 3339, UTC, with nanoseconds, as Docker writes times.
#[must_use]
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    format!("{now:.9}")
}

/// The boot that the machine lives in: random(4), `boot_id`. Empty where there is none.
pub(crate) fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}
