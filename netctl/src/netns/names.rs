//! Names in commands: read from the command line, looked up, and guessed when they are wrong.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser};
use netns::{Directory, InvalidName, Name, Netns};

use crate::report::Failure;

/// How alike two names must be (0 to 1, Jaro) for one to be suggested for the other.
const ALIKE: f64 = 0.7;

/// Reads a name from the command line.
pub(crate) fn parser() -> impl TypedValueParser<Value = Name> {
    OsStringValueParser::new().try_map(|text: OsString| -> Result<Name, InvalidName> { Name::new(text) })
}

/// Opens the namespace called `name`, or says which one may have been meant.
pub(crate) fn open(directory: &Directory, name: &Name) -> Result<Netns, Failure> {
    directory.open(name).map_err(|error| {
        let hint = match &error {
            netns::Error::Missing { .. } => Some(instead_of(directory, name)),
            netns::Error::Unmounted { .. } => Some(delete(name)),
            _ => None,
        };
        Failure::from(error).hint(hint)
    })
}

/// What to do when there is no `name`.
pub(crate) fn instead_of(directory: &Directory, name: &Name) -> String {
    let wanted = name.to_string();
    let names = directory.names().unwrap_or_default();
    let likeness = |name: &Name| strsim::jaro(&wanted, &name.to_string());
    let nearest =
        names.iter().filter(|name| likeness(name) > ALIKE).max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if names.is_empty() => format!("there are none; `netctl netns add {name}` makes it"),
        None => "`netctl netns list` shows which there are".to_owned(),
    }
}

/// What to do with a name that no namespace is behind.
pub(crate) fn delete(name: &Name) -> String {
    format!("`netctl netns delete {name}` removes the name")
}
