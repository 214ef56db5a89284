//! Times as people read them.

use jiff::Timestamp;

/// How long ago something was.
pub(crate) fn ago(then: Option<Timestamp>, now: Timestamp) -> String {
    match then {
        Some(_) => format!("{} ago", span(then, now)),
        None => "N/A".to_owned(),
    }
}

/// How long something has lasted, in its largest whole unit.
pub(crate) fn span(then: Option<Timestamp>, now: Timestamp) -> String {
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
    format!("{count} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
