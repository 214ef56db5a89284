//! Sizes, times and ids as people read them.

use images::ImageId;
use jiff::Timestamp;

/// Bytes as Docker writes them: powers of a thousand, three or four digits.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    #[allow(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1000.0 && unit < UNITS.len() - 1 {
        number /= 1000.0;
        unit += 1;
    }
    let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    let text = format!("{number:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", UNITS[unit])
}

/// How long ago something was.
pub(super) fn ago(then: Option<Timestamp>, now: Timestamp) -> String {
    const SPANS: [(i64, &str); 6] = [
        (31_536_000, "year"),
        (2_592_000, "month"),
        (604_800, "week"),
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
    ];
    let Some(then) = then else { return "N/A".to_owned() };
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    let span = SPANS.iter().find(|(length, _)| seconds >= *length).copied();
    let (length, word) = span.unwrap_or((1, "second"));
    let count = seconds / length;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural} ago")
}

/// The digits of an id by which people know it.
pub(super) fn short(id: &ImageId) -> String {
    let text = id.to_string();
    let digits = text.rsplit(':').next().unwrap_or(&text);
    digits.get(..12).unwrap_or(digits).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_docker_writes_them() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (1230, "1.23kB"),
            (45_600_000, "45.6MB"),
            (123_456_789, "123MB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn times_are_told_in_the_largest_whole_unit() {
        let now: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        for (then, text) in [
            ("2026-01-31T00:00:00Z", "0 seconds ago"),
            ("2026-01-30T23:59:00Z", "1 minute ago"),
            ("2026-01-29T00:00:00Z", "2 days ago"),
            ("2024-01-29T00:00:00Z", "2 years ago"),
            ("2027-01-29T00:00:00Z", "0 seconds ago"),
        ] {
            assert_eq!(ago(Some(then.parse().unwrap()), now), text);
        }
        assert_eq!(ago(None, now), "N/A");
    }
}
