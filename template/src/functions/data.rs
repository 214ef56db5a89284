//! Functions that reach into values.

use super::Refusal;
use crate::budget::Budget;
use crate::datum::Datum;
use crate::print::Writer;
use serde_json::Value;
use std::io;

pub(super) fn not<'v>(arguments: &[Datum<'v>], _: &mut Budget) -> Result<Datum<'v>, Refusal> {
    Ok(Datum::from(!arguments[0].is_true()))
}

/// In bytes, where it is a text, as in Go.
pub(super) fn len<'v>(arguments: &[Datum<'v>], _: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let length = match &*arguments[0] {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Null => 0,
        _ => return Err(Refusal::argument(&arguments[0], "a text, list or object")),
    };
    Ok(Datum::from(length))
}

pub(super) fn index<'v>(arguments: &[Datum<'v>], _: &mut Budget) -> Result<Datum<'v>, Refusal> {
    arguments[1..].iter().try_fold(arguments[0].clone(), |value, key| match (key.as_str(), key.as_i64()) {
        (Some(key), _) => value.entry(key),
        (None, Some(position)) => value.item(position),
        _ => Err(Refusal::argument(key, "a text or whole number as key")),
    })
}

pub(super) fn json<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    let mut text = String::new();
    let mut pieces = Pieces { writer: Writer::new(&mut text, budget), refusal: None };
    let written = serde_json::to_writer(&mut pieces, &*arguments[0]);
    match (written, pieces.refusal) {
        (Ok(()), _) => Ok(Datum::from(text)),
        (Err(_), refusal) => Err(refusal.unwrap_or(Refusal::TooLong)),
    }
}

/// `serde_json` writes bytes, of which each piece is valid text.
struct Pieces<'w> {
    writer: Writer<'w>,
    refusal: Option<Refusal>,
}

impl io::Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        match self.writer.push(piece) {
            Ok(()) => Ok(bytes.len()),
            Err(refusal) => {
                self.refusal = Some(refusal);
                Err(io::Error::other("too long"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
