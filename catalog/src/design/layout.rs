//! JSON as a person would write it: what fits stands on one line, the rest a line a value.

/// The longest line, in characters, that holds more than one value.
const WIDTH: usize = 100;
const INDENT: usize = 2;

/// Lays out JSON that is written without white space, such as serde_json's: an object or a list. Keys stay in their
/// order. The text ends with a line break.
pub(super) fn lay_out(compact: &str) -> String {
    let mut text = String::with_capacity(2 * compact.len());
    write_open(&mut text, compact, 0);
    text.push('\n');
    text
}

/// Writes a value at `depth`, behind whatever stands on its line already.
fn write(text: &mut String, value: &str, depth: usize) {
    let line = text.rsplit('\n').next().unwrap_or_default().chars().count();
    let short = in_one_line(value);
    // A comma follows.
    if line + short.chars().count() < WIDTH || !value.starts_with(['{', '[']) {
        text.push_str(&short);
    } else {
        write_open(text, value, depth);
    }
}

/// Writes an object or a list with a line for each of its values.
fn write_open(text: &mut String, value: &str, depth: usize) {
    let (open, close) = value.split_at(1);
    let (inside, close) = close.split_at(close.len() - 1);
    text.push_str(open);
    let items: Vec<&str> = split(inside, b',').collect();
    for (index, item) in items.iter().enumerate() {
        line_break(text, depth + 1);
        let mut parts = split(item, b':');
        match (open, parts.next(), parts.next()) {
            ("{", Some(key), Some(value)) => {
                text.push_str(key);
                text.push_str(": ");
                write(text, value, depth + 1);
            }
            _ => write(text, item, depth + 1),
        }
        if index + 1 < items.len() {
            text.push(',');
        }
    }
    line_break(text, depth);
    text.push_str(close);
}

fn line_break(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth * INDENT));
}

/// The pieces of a text between the separators that are in no string, object or list.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    let is_separator = move |character: char| {
        let (was_escaped, was_string) = (is_escaped, is_string);
        is_escaped = was_string && character == '\\' && !was_escaped;
        match character {
            '"' if !was_escaped => is_string = !was_string,
            '{' | '[' if !was_string => depth += 1,
            '}' | ']' if !was_string => depth = depth.saturating_sub(1),
            _ => return !was_string && depth == 0 && character == char::from(separator),
        }
        false
    };
    text.split(is_separator)
}

/// With a space behind each comma and colon that is in no string.
fn in_one_line(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + value.len() / 8);
    let (mut is_string, mut is_escaped) = (false, false);
    for character in value.chars() {
        text.push(character);
        if character == '"' && !is_escaped {
            is_string = !is_string;
        }
        is_escaped = is_string && character == '\\' && !is_escaped;
        if !is_string && matches!(character, ',' | ':') {
            text.push(' ');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_fits_stands_on_one_line() {
        let long = "x".repeat(60);
        let value = json!({"a": [1, 2, {"b": null}], "c": {"long": long, "other": long}, "d": [], "e": {}});
        let expected = format!(
            r#"{{
  "a": [1, 2, {{"b": null}}],
  "c": {{
    "long": "{long}",
    "other": "{long}"
  }},
  "d": [],
  "e": {{}}
}}
"#
        );
        assert_eq!(lay_out(&value.to_string()), expected);
    }

    #[test]
    fn no_line_is_wider_than_a_screen_unless_a_single_value_is() {
        // With its comma the line has 100 characters; one more, and it is broken.
        for (length, lines) in [(81, 1), (82, 3)] {
            let value = json!({"a": {"key": "x".repeat(length)}, "b": 1}).to_string();
            let text = lay_out(&value);
            assert_eq!(text.lines().count(), 3 + lines, "{text}");
            assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        }
    }

    #[test]
    fn what_stands_in_strings_is_left_alone() {
        for text in ["a,b:c", "{[", "]}", "\"", "\\", "\\\"", "\\\\\",", "é, ü", "\n\t", ""] {
            let value = json!({ text: [text, {text: text}], "long": ["x".repeat(99), text] });
            let laid_out = lay_out(&value.to_string());
            assert_eq!(serde_json::from_str::<Value>(&laid_out).unwrap(), value, "{laid_out}");
            let in_quotes = json!(text).to_string();
            assert_eq!(laid_out.matches(&in_quotes).count(), 5, "{laid_out}");
        }
    }
}
