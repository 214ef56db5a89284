//! A value on its way through a template: borrowed where it is the caller's, owned where a function made it.

use crate::functions::Refusal;
use serde_json::Value;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Fields that lead to a map in what Docker prints, never to a struct: what is not in there is nothing, and no error.
const MAPS: [&str; 16] = [
    "Annotations",
    "AuxiliaryAddresses",
    "Containers",
    "DriverOpts",
    "Endpoints",
    "ExposedPorts",
    "Label",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Services",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

static NULL: Value = Value::Null;

/// What a JSON value can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// A string.
    Text,
    /// An array.
    List,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Datum<'v> {
    held: Held<'v>,
    is_map: bool,
}

#[derive(Debug, Clone)]
enum Held<'v> {
    Borrowed(&'v Value),
    /// Shared, because variables are read more often than they are written.
    Owned(Rc<Value>),
}

impl Deref for Datum<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match &self.held {
            Held::Borrowed(value) => value,
            Held::Owned(value) => value,
        }
    }
}

impl<T: Into<Value>> From<T> for Datum<'_> {
    fn from(value: T) -> Self {
        Self { held: Held::Owned(Rc::new(value.into())), is_map: false }
    }
}

/// Why there is no such field.
pub(crate) enum Missing {
    Among(Vec<String>),
    NoObject(Kind),
}

impl<'v> Datum<'v> {
    pub(crate) fn borrowed(value: &'v Value) -> Self {
        Self { held: Held::Borrowed(value), is_map: false }
    }

    pub(crate) fn null() -> Self {
        Self::borrowed(&NULL)
    }

    pub(crate) fn kind(&self) -> Kind {
        match **self {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::Text,
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    /// Go's truth: what is zero or empty is false.
    pub(crate) fn is_true(&self) -> bool {
        match &**self {
            Value::Null => false,
            Value::Bool(is_true) => *is_true,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
        }
    }

    /// `.name`
    pub(crate) fn field(&self, name: &str) -> Result<Self, Missing> {
        match &**self {
            Value::Object(entries) => match self.child(|value| value.get(name)) {
                Some(found) => Ok(Self { is_map: MAPS.contains(&name), ..found }),
                None if self.is_map || entries.is_empty() => Ok(Self::null()),
                None => Err(Missing::Among(sorted(entries.keys()).cloned().collect())),
            },
            Value::Null if self.is_map => Ok(Self::null()),
            _ => Err(Missing::NoObject(self.kind())),
        }
    }

    /// `index . "key"`, of an object or of null, which has no entries.
    pub(crate) fn entry(&self, key: &str) -> Result<Self, Refusal> {
        match &**self {
            Value::Object(entries) => Ok(self.child(|value| value.get(key)).unwrap_or_else(|| {
                // Go's map of texts answers "", any other nil.
                if entries.values().all(Value::is_string) { Self::from("") } else { Self::null() }
            })),
            Value::Null => Ok(Self::from("")),
            _ => Err(Refusal::argument(self, "an object, where the key is a text")),
        }
    }

    /// `index . 0`, of a list or of null, which is empty.
    pub(crate) fn item(&self, index: i64) -> Result<Self, Refusal> {
        let length = match &**self {
            Value::Array(items) => items.len(),
            Value::Null => 0,
            _ => return Err(Refusal::argument(self, "a list, where the key is a number")),
        };
        usize::try_from(index)
            .ok()
            .and_then(|at| self.child(|value| value.get(at)))
            .ok_or(Refusal::OutOfRange { index, length })
    }

    /// What `range` goes through: the items of a list, or the entries of an object in the order of their keys.
    pub(crate) fn pairs(&self) -> Result<Vec<(Self, Self)>, Refusal> {
        match &**self {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok((0..items.len())
                .filter_map(|at| Some((Self::from(at), self.child(|value| value.get(at))?)))
                .collect()),
            Value::Object(entries) => Ok(sorted(entries.keys())
                .filter_map(|key| Some((Self::from(key.as_str()), self.child(|value| value.get(key))?)))
                .collect()),
            _ => Err(Refusal::argument(self, "a list or an object")),
        }
    }

    /// A part of the value, borrowed if the whole is. Functions own texts and lists of texts only, so a copy is small.
    fn child(&self, part: impl for<'a> Fn(&'a Value) -> Option<&'a Value>) -> Option<Self> {
        let held = match &self.held {
            Held::Borrowed(value) => Held::Borrowed(part(value)?),
            Held::Owned(value) => Held::Owned(Rc::new(part(value)?.clone())),
        };
        Some(Self { held, is_map: false })
    }
}

/// Keys as Go prints them; `serde_json` keeps another order with one of its features.
pub(crate) fn sorted<'k>(keys: impl Iterator<Item = &'k String>) -> impl Iterator<Item = &'k String> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys.into_iter()
}
