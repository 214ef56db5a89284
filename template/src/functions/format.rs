//! `print`, `println` and `printf`.

use super::{Refusal, text_of};
use crate::budget::Budget;
use crate::datum::{Datum, Kind};
use crate::print::Writer;
use serde_json::Value;

const VERBS: &str = "one of %s %v %d %q %%";

/// White space stands between two values of which neither is a text.
pub(super) fn print<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let mut text = String::new();
    let mut writer = Writer::new(&mut text, budget);
    for (at, value) in arguments.iter().enumerate() {
        if at > 0 && !value.is_string() && !arguments[at - 1].is_string() {
            writer.push(" ")?;
        }
        writer.push_value(value)?;
    }
    Ok(Datum::from(text))
}

/// White space stands between all values, and a line ends after them.
pub(super) fn println<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let mut text = String::new();
    let mut writer = Writer::new(&mut text, budget);
    for (at, value) in arguments.iter().enumerate() {
        if at > 0 {
            writer.push(" ")?;
        }
        writer.push_value(value)?;
    }
    writer.push("\n")?;
    Ok(Datum::from(text))
}

pub(super) fn printf<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let mut rest = text_of(&arguments[0])?;
    let mut values = arguments[1..].iter();
    let mut text = String::new();
    let mut writer = Writer::new(&mut text, budget);
    while let Some((before, after)) = rest.split_once('%') {
        writer.push(before)?;
        let mut following = after.chars();
        match following.next() {
            Some('%') => writer.push("%")?,
            Some(verb @ ('s' | 'v' | 'd' | 'q')) => {
                let missing = || Refusal::Argument {
                    found: format!("%{verb} and no value for it"),
                    expected: "as many values as verbs",
                };
                push_verb(&mut writer, verb, values.next().ok_or_else(missing)?)?;
            }
            verb => {
                let found = format!("%{}", verb.map(String::from).unwrap_or_default());
                return Err(Refusal::Argument { found, expected: VERBS });
            }
        }
        rest = following.as_str();
    }
    writer.push(rest)?;
    match values.len() {
        0 => Ok(Datum::from(text)),
        more => Err(Refusal::Argument {
            found: format!("{more} more values than verbs"),
            expected: "as many values as verbs",
        }),
    }
}

fn push_verb(writer: &mut Writer<'_>, verb: char, value: &Datum<'_>) -> Result<(), Refusal> {
    match (verb, value.kind()) {
        ('s', Kind::Boolean | Kind::Number | Kind::Null) => {
            Err(Refusal::argument(value, "a text for %s, or %v"))
        }
        ('d', _) if value.is_i64() || value.is_u64() => writer.push_value(value),
        ('d', _) => Err(Refusal::argument(value, "a whole number for %d")),
        ('q', _) => push_quoted(writer, value),
        _ => writer.push_value(value),
    }
}

/// A text in quotes, or a list of such.
fn push_quoted(writer: &mut Writer<'_>, value: &Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => {
            writer.push("\"")?;
            text.chars().try_for_each(|character| writer.push(&quoted(character)))?;
            writer.push("\"")
        }
        Value::Array(items) => {
            writer.push("[")?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    writer.push(" ")?;
                }
                push_quoted(writer, item)?;
            }
            writer.push("]")
        }
        other => Err(Refusal::argument(&Datum::borrowed(other), "a text or a list of texts for %q")),
    }
}

fn quoted(character: char) -> String {
    match character {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        _ if character.is_ascii_control() => format!("\\x{:02x}", u32::from(character)),
        _ if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        _ => character.to_string(),
    }
}
