//! Literals inside of actions: texts and numbers, as Go writes them.

use serde_json::Number;

/// What a text between double quotes says, its quotes taken off, or what is wrong with it.
///
/// Octal and hexadecimal escapes say ASCII only: in Go they are bytes, and those beyond are no characters.
pub(crate) fn unquote(quoted: &str) -> Result<String, &'static str> {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    while let Some(character) = rest.next() {
        text.push(if character == '\\' { escaped(&mut rest)? } else { character });
    }
    Ok(text)
}

fn escaped(rest: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    const EXPECTED: &str = r#"one of \n \t \r \a \b \f \v \\ \" \xhh \ooo \uhhhh \Uhhhhhhhh in a text"#;
    let ascii = |number: Option<u32>| number.filter(|number| *number < 0x80).and_then(char::from_u32);
    let character = match rest.next().ok_or(EXPECTED)? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        same @ ('\\' | '"') => Some(same),
        'x' => ascii(digits(rest, 2, 16)),
        'u' => digits(rest, 4, 16).and_then(char::from_u32),
        'U' => digits(rest, 8, 16).and_then(char::from_u32),
        first => {
            let first = first.to_digit(8).ok_or(EXPECTED)?;
            ascii(digits(rest, 2, 8).map(|others| first * 64 + others))
        }
    };
    character.ok_or(EXPECTED)
}

fn digits(rest: &mut std::str::Chars<'_>, count: usize, radix: u32) -> Option<u32> {
    (0..count).try_fold(0_u32, |number, _| {
        let digit = rest.next()?.to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}

/// A decimal number. Go's other ways to write one are refused rather than read wrongly: `010` is eight there.
pub(crate) fn number(text: &str) -> Option<Number> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let leading_zero = unsigned.len() > 1 && unsigned.starts_with('0') && !unsigned.starts_with("0.");
    if leading_zero || text.len() > unsigned.len() + 1 {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    match text.parse::<i64>() {
        Ok(integer) => Some(Number::from(integer)),
        Err(_) if text.contains(['.', 'e', 'E']) => Number::from_f64(text.parse().ok()?),
        Err(_) => text.parse::<u64>().ok().map(Number::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        for (quoted, text) in [
            (r"a\tb\n", "a\tb\n"),
            (r#"\"\\"#, "\"\\"),
            (r"\x1b[1m\033[0m", "\u{1b}[1m\u{1b}[0m"),
            (r"\u00e9\U0001F980é", "é🦀é"),
        ] {
            assert_eq!(unquote(quoted).as_deref(), Ok(text), "{quoted}");
        }
        for quoted in
            [r"\", r"\q", r"\x1", r"\xff", r"\777", r"\08", r"\ud800", r"\U00110000", r"\UFFFFFFFFF", r"\é"]
        {
            assert!(unquote(quoted).is_err(), "{quoted}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        for (text, read) in [
            ("0", "0"),
            ("-7", "-7"),
            ("+7", "7"),
            ("1.5", "1.5"),
            ("-0.5", "-0.5"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
        ] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), Some(read), "{text}");
        }
        assert_eq!(number("18446744073709551615"), Some(Number::from(u64::MAX)));
        for text in
            ["010", "0x1F", "1_000", "1e999", "--1", "+-1", "1a", "18446744073709551616", "1.2.3", "e5x"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
