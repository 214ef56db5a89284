//! Sizes, as people write them.

use super::Invalid;

/// Bytes: a number with `b`, `k`, `m`, `g` or `t` behind it, and perhaps a further `b` or `ib`; 1024 to the next.
pub(super) fn size(flag: &'static str, text: &str) -> Result<u64, Invalid> {
    let wrong = || Invalid::new(flag, text, "expected bytes, such as 512m, 64k or 1.5g");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let power = match &lower[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return Err(wrong()),
    };
    let unit = 1_u64 << (10 * power);
    if let Ok(number) = digits.parse::<u64>() {
        return number.checked_mul(unit).filter(|bytes| i64::try_from(*bytes).is_ok()).ok_or_else(wrong);
    }
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of a unit is rounded to bytes"
    )]
    let bytes = (number * unit as f64) as u64;
    if number.is_finite() && number >= 0.0 && i64::try_from(bytes).is_ok() { Ok(bytes) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("0", 0),
            ("512m", 512 << 20),
            ("64KB", 64 << 10),
            ("1.5g", 3 << 29),
            ("7b", 7),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(size("--memory", text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_told_with_its_flag() {
        for text in ["", "m", "-1", "1x", "1.2.3k", "infinity", "99999999999999999999", "9000000t"] {
            let said = format!("--memory {text:?}: expected bytes, such as 512m, 64k or 1.5g");
            assert_eq!(size("--memory", text).expect_err(text).to_string(), said);
        }
    }
}
