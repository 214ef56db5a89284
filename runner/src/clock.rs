//! What time it is.

/// Now: RFC 3339, UTC, with nanoseconds, as Docker writes times.
#[must_use]
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    format!("{now:.9}")
}
