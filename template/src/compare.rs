//! `eq ne lt le gt ge`.

use crate::budget::Budget;
use crate::datum::Datum;
use crate::functions::Refusal;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Whether the first is equal to one of the others.
pub(crate) fn eq<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    for other in &arguments[1..] {
        if are_equal(&arguments[0], other, budget)? {
            return Ok(Datum::from(true));
        }
    }
    Ok(Datum::from(false))
}

pub(crate) fn ne<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    Ok(Datum::from(!are_equal(&arguments[0], &arguments[1], budget)?))
}

pub(crate) fn lt<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    ordered(arguments, budget, Ordering::is_lt)
}

pub(crate) fn le<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    ordered(arguments, budget, Ordering::is_le)
}

pub(crate) fn gt<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    ordered(arguments, budget, Ordering::is_gt)
}

pub(crate) fn ge<'v>(arguments: &[Datum<'v>], budget: &mut Budget) -> Result<Datum<'v>, Refusal> {
    ordered(arguments, budget, Ordering::is_ge)
}

fn are_equal(left: &Datum<'_>, right: &Datum<'_>, budget: &mut Budget) -> Result<bool, Refusal> {
    match (&**left, &**right) {
        (Value::Null, other) | (other, Value::Null) => Ok(other.is_null()),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::String(left), Value::String(right)) => Ok(texts(left, right, budget)?.is_eq()),
        (Value::Number(left), Value::Number(right)) => Ok(numeric(left, right) == Some(Ordering::Equal)),
        _ => Err(incomparable(left, right, "two texts, two numbers or two booleans")),
    }
}

fn ordered<'v>(
    arguments: &[Datum<'v>],
    budget: &mut Budget,
    is_wanted: fn(Ordering) -> bool,
) -> Result<Datum<'v>, Refusal> {
    let (left, right) = (&arguments[0], &arguments[1]);
    let ordering = match (&**left, &**right) {
        (Value::String(left), Value::String(right)) => Some(texts(left, right, budget)?),
        (Value::Number(left), Value::Number(right)) => numeric(left, right),
        _ => None,
    };
    let ordering = ordering.ok_or_else(|| incomparable(left, right, "two texts or two numbers"))?;
    Ok(Datum::from(is_wanted(ordering)))
}

/// Costs what is looked through: long texts that are made once could be compared again and again.
fn texts(left: &str, right: &str, budget: &mut Budget) -> Result<Ordering, Refusal> {
    budget.text(left.len().min(right.len()))?;
    Ok(left.cmp(right))
}

/// Whole numbers exactly, others as far as they are exact.
fn numeric(left: &Number, right: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn incomparable(left: &Datum<'_>, right: &Datum<'_>, expected: &'static str) -> Refusal {
    Refusal::Argument { found: format!("{} and {}", left.kind(), right.kind()), expected }
}
