//! The helper programs of this crate, which lie beside the running one.

use crate::plugin::{self, Call};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A helper program is missing, fails, or cannot be understood.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("find out where this program is")]
    Where(#[source] io::Error),
    #[error(transparent)]
    Plugin(#[from] plugin::Error),
    #[error("find {key} in what {program} says: {said}")]
    Said { program: &'static str, key: &'static str, said: String },
}

/// Where the executable of that name lies.
///
/// # Errors
/// [`Error::Where`].
pub fn beside(name: &str) -> Result<PathBuf, Error> {
    Ok(std::env::current_exe().map_err(Error::Where)?.with_file_name(name))
}

/// What the floor needs for one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Time spent in the system calls that send requests and receive answers.
    pub kernel: Duration,
    /// The whole process.
    pub process: Duration,
}

/// The call that lets `floor` do a piece of work.
///
/// # Errors
/// [`Error::Where`].
pub fn floor_call(arguments: Vec<OsString>) -> Result<Call, Error> {
    Ok(Call { program: beside("floor")?, arguments, environment: Vec::new(), stdin: String::new() })
}

/// Lets `floor` do a piece of work.
///
/// # Errors
/// [`Error`].
pub fn floor(arguments: Vec<OsString>) -> Result<Floor, Error> {
    let (process, said) = floor_call(arguments)?.run()?;
    let nanos = number("floor", "kernel_ns", &said)?;
    Ok(Floor { kernel: Duration::from_nanos(nanos), process })
}

/// The most memory that a call and its descendants had resident at a time each, in bytes.
///
/// # Errors
/// [`Error`].
pub fn peak_memory(call: &Call) -> Result<(u64, String), Error> {
    let mut metered = call.clone();
    metered.arguments.insert(0, call.program.clone().into());
    metered.program = beside("meter")?;
    let (_, said) = metered.run()?;
    let (said, meter) = said.rsplit_once("meter: ").unwrap_or(("", &said));
    let kilobytes = number("meter", "peak_kib", meter)?;
    Ok((kilobytes * 1024, said.to_owned()))
}

/// Finds `key=number` among words.
fn number(program: &'static str, key: &'static str, said: &str) -> Result<u64, Error> {
    let mut pairs = said.split_whitespace().filter_map(|word| word.split_once('='));
    let found = pairs.find(|(name, _)| *name == key).and_then(|(_, number)| number.parse().ok());
    found.ok_or_else(|| Error::Said { program, key, said: said.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_key() {
        assert_eq!(number("floor", "kernel_ns", "messages=5 kernel_ns=61000\n").unwrap(), 61_000);
        let error = number("floor", "kernel_ns", "kernel_ns=fast").unwrap_err();
        assert_eq!(error.to_string(), "find kernel_ns in what floor says: kernel_ns=fast");
    }
}
