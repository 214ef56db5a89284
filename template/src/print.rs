//! Values as Go prints them: `[a b]`, `map[a:1 b:2]`, `<nil>`.

use crate::budget::Budget;
use crate::datum::sorted;
use crate::functions::Refusal;
use serde_json::{Number, Value};

/// Text that is made within a budget.
pub(crate) struct Writer<'w> {
    text: &'w mut String,
    budget: &'w mut Budget,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(text: &'w mut String, budget: &'w mut Budget) -> Self {
        Self { text, budget }
    }

    pub(crate) fn push(&mut self, piece: &str) -> Result<(), Refusal> {
        self.budget.text(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    /// A value as an action prints it.
    pub(crate) fn push_printed(&mut self, value: &Value) -> Result<(), Refusal> {
        if value.is_null() { self.push("<no value>") } else { self.push_value(value) }
    }

    /// A value as it is printed inside of others, and by `print` and its like.
    pub(crate) fn push_value(&mut self, value: &Value) -> Result<(), Refusal> {
        match value {
            Value::Null => self.push("<nil>"),
            Value::Bool(is_true) => self.push(if *is_true { "true" } else { "false" }),
            Value::Number(number) => self.push(&decimal(number)),
            Value::String(text) => self.push(text),
            Value::Array(items) => {
                self.push("[")?;
                for (at, item) in items.iter().enumerate() {
                    self.push(if at > 0 { " " } else { "" })?;
                    self.push_value(item)?;
                }
                self.push("]")
            }
            Value::Object(entries) => {
                self.push("map[")?;
                for (at, key) in sorted(entries.keys()).enumerate() {
                    self.push(if at > 0 { " " } else { "" })?;
                    self.push(key)?;
                    self.push(":")?;
                    self.push_value(entries.get(key).unwrap_or(&Value::Null))?;
                }
                self.push("]")
            }
        }
    }
}

/// What is whole in JSON is an integer; anything else is a float, which Go writes with an exponent from a million on.
fn decimal(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => go_float(float),
        _ => number.to_string(),
    }
}

/// Go's `%g` with as few digits as tell the number.
fn go_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(-4..=5) => float.to_string(),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        Err(_) => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (float, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (2.5, "2.5"),
            (-100_000.0, "-100000"),
            (999_999.5, "999999.5"),
            (1_000_000.0, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(go_float(float), text);
        }
    }
}
