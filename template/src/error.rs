//! What can be wrong with a template, or between it and a value.

use crate::datum::Kind;
use crate::nearest::nearest;
use crate::{MAX_DEPTH, MAX_STEPS, MAX_TEXT, functions};
use std::fmt;

/// The most names that a hint lists.
const MAX_LISTED: usize = 24;

/// A place in the text of a template, counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    pub(crate) fn after(self, text: &str) -> Self {
        text.chars().fold(self, |at, character| match character {
            '\n' => Self { line: at.line + 1, column: 1 },
            _ => Self { column: at.column + 1, ..at },
        })
    }
}

impl fmt::Display for Position {
    /// `column 3`; the line is named from the second on, for most formats have one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}", self.column)
    }
}

/// Why there is no template, or no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not what can stand there.
    #[error("template: {at}: found {found}: expected {expected}")]
    Syntax {
        /// Where.
        at: Position,
        /// The piece of text.
        found: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// Something follows a word without white space.
    #[error("template: {at}: found {found} right after {word}: expected white space, | or }}}}")]
    Glued {
        /// Where.
        at: Position,
        /// What follows.
        found: String,
        /// What it follows.
        word: String,
    },
    /// The text ends where something is still open.
    #[error("template: {at}: close {opened}: expected {expected} before the end")]
    Unclosed {
        /// Where it was opened.
        at: Position,
        /// What was opened.
        opened: &'static str,
        /// What closes it.
        expected: &'static str,
    },
    /// Go knows the word; we do not.
    #[error("template: {at}: {{{{{word}}}}} is not supported")]
    Unsupported {
        /// Where.
        at: Position,
        /// The word.
        word: String,
    },
    /// There is no such function.
    #[error("template: {at}: no function {name}{}", did_you_mean(name, "", functions::names()))]
    NoFunction {
        /// Where.
        at: Position,
        /// Its name.
        name: String,
    },
    /// No `:=` names this variable before its use.
    #[error("template: {at}: no variable {name}{}", did_you_mean(name, "", known.iter().map(String::as_str)))]
    NoVariable {
        /// Where.
        at: Position,
        /// Its name, with the dollar sign.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A function has too few or too many arguments.
    #[error("template: {at}: {function}: found {}: expected {usage}", arguments(*given))]
    Arguments {
        /// Where.
        at: Position,
        /// The function.
        function: &'static str,
        /// How many it was given.
        given: usize,
        /// How it is written.
        usage: &'static str,
    },
    /// Something that is no function is given arguments.
    #[error("template: {at}: {text} takes no arguments: expected a function before them")]
    NotAFunction {
        /// Where.
        at: Position,
        /// What it is.
        text: String,
    },
    /// The object has no such field.
    #[error(
        "template: {at}: no field .{field}{}{}",
        within(parent),
        did_you_mean(field, ".", writable(known))
    )]
    NoField {
        /// Where.
        at: Position,
        /// The field.
        field: String,
        /// How the object was reached; `.` where it is the value itself.
        parent: String,
        /// The fields that it has.
        known: Vec<String>,
    },
    /// What is asked for a field is no object.
    #[error("template: {at}: no field .{field}: {parent} is {found}")]
    NoObject {
        /// Where.
        at: Position,
        /// The field.
        field: String,
        /// How the value was reached.
        parent: String,
        /// What it is instead.
        found: Kind,
    },
    /// A function cannot use what it was given.
    #[error("template: {at}: {function}: found {found}: expected {expected}")]
    Argument {
        /// Where.
        at: Position,
        /// The function, or the keyword `range`.
        function: &'static str,
        /// What it was given.
        found: String,
        /// What it can use.
        expected: &'static str,
    },
    /// A list or text is not that long.
    #[error("template: {at}: {function}: found position {index}: expected one within a length of {length}")]
    OutOfRange {
        /// Where.
        at: Position,
        /// The function.
        function: &'static str,
        /// What was asked for, counted from 0.
        index: i64,
        /// The length there is.
        length: usize,
    },
    /// Blocks and parentheses stand too deep in each other.
    #[error("template: {at}: nest at most {MAX_DEPTH} blocks and parentheses")]
    TooDeep {
        /// Where.
        at: Position,
    },
    /// More text than [`MAX_TEXT`] would be made.
    #[error("template: {at}: make at most {MAX_TEXT} bytes of text")]
    TooLong {
        /// Where.
        at: Position,
    },
    /// The template takes more than [`MAX_STEPS`] steps.
    #[error("template: {at}: take at most {MAX_STEPS} steps")]
    TooSlow {
        /// Where.
        at: Position,
    },
}

impl Error {
    /// What a person can do about it, where there is more to say than the message does.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoField { known, .. } => {
                Some(format!("there are {}", list(known.iter().map(|key| written(key)))))
            }
            Self::NoFunction { .. } => {
                Some(format!("there are {}", list(functions::names().map(str::to_owned))))
            }
            Self::NoVariable { known, .. } if !known.is_empty() => {
                Some(format!("there are {}", list(known.iter().cloned())))
            }
            Self::NoVariable { name, .. } => Some(format!("{{{{{name} := …}}}} makes a variable")),
            Self::NoObject { found: Kind::List, parent, .. } => {
                Some(format!("{{{{range {parent}}}}} or {{{{index {parent} 0}}}} reach what a list holds"))
            }
            Self::Glued { found, word, .. }
                if found.starts_with(['-', '/', ':']) && word.starts_with('.') =>
            {
                Some(format!("{{{{index … {:?}}}}} reaches such a name", format!("{}{found}", &word[1..])))
            }
            _ => None,
        }
    }
}

fn arguments(given: usize) -> String {
    format!("{given} argument{}", if given == 1 { "" } else { "s" })
}

fn within(parent: &str) -> String {
    if parent == "." { String::new() } else { format!(" in {parent}") }
}

fn did_you_mean<'a>(name: &str, prefix: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(": did you mean {prefix}{near}?"))
}

/// The keys that can be written after a dot.
fn writable(keys: &[String]) -> impl Iterator<Item = &str> {
    keys.iter().map(String::as_str).filter(|key| is_field_name(key))
}

fn is_field_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|character| character == '_' || character.is_alphanumeric())
}

fn written(key: &str) -> String {
    if is_field_name(key) { format!(".{key}") } else { format!("{key:?}") }
}

fn list(mut names: impl Iterator<Item = String>) -> String {
    let listed = names.by_ref().take(MAX_LISTED).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}
