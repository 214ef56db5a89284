//! Sizes as people read them.

/// Bytes as Docker writes them: powers of a thousand, three or four digits.
pub(crate) fn size(bytes: u64) -> String {
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
}
