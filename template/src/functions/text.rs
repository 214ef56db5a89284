//! Docker's functions on texts.

use super::{Refusal, count_of, text_of};
use crate::budget::Budget;
use crate::datum::Datum;
use crate::print::Writer;
use serde_json::Value;

/// What an item of a split text takes beside its bytes.
const ITEM: usize = size_of::<Value>();

fn made<'v>(text: String, budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    budget.text(text.len())?;
    Ok(Datum::from(text))
}

pub(super) fn lower<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    made(text_of(&arguments[0])?.to_lowercase(), budget)
}

pub(super) fn upper<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    made(text_of(&arguments[0])?.to_uppercase(), budget)
}

/// The first letter of each word in upper case; what separates words is what Go's `strings.Title` takes for it.
pub(super) fn title<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let mut begins = true;
    let mut title = String::new();
    for character in text_of(&arguments[0])?.chars() {
        if begins {
            title.extend(character.to_uppercase());
        } else {
            title.push(character);
        }
        begins = !(character.is_alphanumeric() || character == '_')
            && (character.is_ascii() || character.is_whitespace());
    }
    made(title, budget)
}

pub(super) fn split<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let (text, separator) = (text_of(&arguments[0])?, text_of(&arguments[1])?);
    let mut items = Vec::new();
    let mut push = |item: &str| {
        budget.step()?;
        budget.text(ITEM + item.len())?;
        items.push(Value::from(item));
        Ok(())
    };
    if separator.is_empty() {
        // Into its characters; Rust would add an empty text at either end.
        text.char_indices().try_for_each(|(at, c)| push(&text[at..at + c.len_utf8()]))?;
    } else {
        text.split(separator).try_for_each(push)?;
    }
    Ok(Datum::from(items))
}

/// Go joins texts only; whoever joins numbers means their digits.
pub(super) fn join<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let separator = text_of(&arguments[1])?;
    let items = match &*arguments[0] {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        _ => return Err(Refusal::argument(&arguments[0], "a list")),
    };
    let mut text = String::new();
    let mut writer = Writer::new(&mut text, budget);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            writer.push(separator)?;
        }
        writer.push_value(item)?;
    }
    Ok(Datum::from(text))
}

/// An empty text stays empty.
pub(super) fn pad<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let (text, before, after) = (text_of(&arguments[0])?, count_of(&arguments[1])?, count_of(&arguments[2])?);
    if text.is_empty() {
        return Ok(Datum::from(""));
    }
    budget.text(text.len().saturating_add(before).saturating_add(after))?;
    Ok(Datum::from([&" ".repeat(before), text, &" ".repeat(after)].concat()))
}

/// At most so many characters.
pub(super) fn truncate<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let (text, length) = (text_of(&arguments[0])?, count_of(&arguments[1])?);
    let end = text.char_indices().nth(length).map_or(text.len(), |(at, _)| at);
    made(text[..end].to_owned(), budget)
}

/// From one place to another, counted in bytes as by `len`.
pub(super) fn slice<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let text = text_of(&arguments[0])?;
    let from = arguments.get(1).map_or(Ok(0), count_of)?;
    let to = arguments.get(2).map_or(Ok(text.len()), count_of)?;
    let part = text.get(from..to).ok_or_else(|| Refusal::Argument {
        found: format!("{from} to {to}"),
        expected: "places between characters, in order, within the text",
    })?;
    made(part.to_owned(), budget)
}
