//! The functions that templates call: Go's own, and those that Docker adds.
//!
//! A function knows neither where it stands in the template nor how it came by its arguments, so it only says what it
//! refuses; the caller makes an [`Error`] of it.

mod data;
mod format;
mod text;

use crate::budget::Budget;
use crate::compare;
use crate::datum::Datum;
use crate::error::{Error, Position};

/// Why a function gives no value.
#[derive(Debug)]
pub(crate) enum Refusal {
    Argument { found: String, expected: &'static str },
    OutOfRange { index: i64, length: usize },
    TooLong,
    TooSlow,
}

impl Refusal {
    pub(crate) fn argument(found: &Datum<'_>, expected: &'static str) -> Self {
        Self::Argument { found: found.kind().to_string(), expected }
    }

    pub(crate) fn at(self, at: Position, function: &'static str) -> Error {
        match self {
            Self::Argument { found, expected } => Error::Argument { at, function, found, expected },
            Self::OutOfRange { index, length } => Error::OutOfRange { at, function, index, length },
            Self::TooLong => Error::TooLong { at },
            Self::TooSlow => Error::TooSlow { at },
        }
    }
}

type Eager = for<'v> fn(&[Datum<'v>], &mut Budget) -> Result<Datum<'v>, Refusal>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// Looks at all its arguments; as many as it takes are there.
    Eager(Eager),
    /// Looks at them until one has this truth.
    UntilTruth(bool),
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) usage: &'static str,
    least: usize,
    most: usize,
    pub(crate) run: Run,
}

impl Function {
    const fn new(usage: &'static str, name: &'static str, least: usize, most: usize, run: Eager) -> Self {
        Self { name, usage, least, most, run: Run::Eager(run) }
    }

    pub(crate) fn takes(&self, arguments: usize) -> bool {
        (self.least..=self.most).contains(&arguments)
    }
}

const ANY: usize = usize::MAX;

static FUNCTIONS: [Function; 23] = [
    Function { name: "and", usage: "and A B …", least: 1, most: ANY, run: Run::UntilTruth(false) },
    Function::new("eq A B …", "eq", 2, ANY, compare::eq),
    Function::new("ge A B", "ge", 2, 2, compare::ge),
    Function::new("gt A B", "gt", 2, 2, compare::gt),
    Function::new("index LIST-OR-OBJECT KEY …", "index", 1, ANY, data::index),
    Function::new("join LIST SEPARATOR", "join", 2, 2, text::join),
    Function::new("json VALUE", "json", 1, 1, data::json),
    Function::new("le A B", "le", 2, 2, compare::le),
    Function::new("len VALUE", "len", 1, 1, data::len),
    Function::new("lower TEXT", "lower", 1, 1, text::lower),
    Function::new("lt A B", "lt", 2, 2, compare::lt),
    Function::new("ne A B", "ne", 2, 2, compare::ne),
    Function::new("not VALUE", "not", 1, 1, data::not),
    Function { name: "or", usage: "or A B …", least: 1, most: ANY, run: Run::UntilTruth(true) },
    Function::new("pad TEXT BEFORE AFTER", "pad", 3, 3, text::pad),
    Function::new("print VALUE …", "print", 0, ANY, format::print),
    Function::new("printf FORMAT VALUE …", "printf", 1, ANY, format::printf),
    Function::new("println VALUE …", "println", 0, ANY, format::println),
    Function::new("slice TEXT [FROM [TO]]", "slice", 1, 3, text::slice),
    Function::new("split TEXT SEPARATOR", "split", 2, 2, text::split),
    Function::new("title TEXT", "title", 1, 1, text::title),
    Function::new("truncate TEXT LENGTH", "truncate", 2, 2, text::truncate),
    Function::new("upper TEXT", "upper", 1, 1, text::upper),
];

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

fn text_of<'a>(datum: &'a Datum<'_>) -> Result<&'a str, Refusal> {
    datum.as_str().ok_or_else(|| Refusal::argument(datum, "a text"))
}

fn integer_of(datum: &Datum<'_>) -> Result<i64, Refusal> {
    datum.as_i64().ok_or_else(|| Refusal::argument(datum, "a whole number"))
}

/// A length or a place, counted from 0.
fn count_of(datum: &Datum<'_>) -> Result<usize, Refusal> {
    let count = usize::try_from(integer_of(datum)?);
    count.map_err(|_| Refusal::Argument { found: datum.to_string(), expected: "no negative number" })
}
