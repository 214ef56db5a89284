//! Names for containers that nobody named, and random numbers.

use std::fs::File;
use std::io::Read as _;

use runner::{Id, Name, Store};

use crate::report::Failure;

/// How a container is.
const HOW: [&str; 32] = [
    "able", "brave", "brisk", "calm", "clear", "deft", "eager", "fair", "fast", "firm", "fond", "free",
    "fresh", "glad", "keen", "kind", "light", "lively", "lucid", "merry", "mild", "neat", "open", "plain",
    "proud", "quick", "quiet", "ready", "sharp", "smart", "steady", "swift",
];

/// What it is: things that carry, join or lead.
const WHAT: [&str; 32] = [
    "anchor", "arch", "beacon", "bridge", "bus", "buoy", "cable", "canal", "causeway", "coupler", "dock",
    "ferry", "ford", "gate", "harbour", "hub", "junction", "lane", "lantern", "lock", "mast", "path", "pier",
    "port", "quay", "relay", "road", "signal", "switch", "tower", "trunk", "tunnel",
];

/// 32 bytes that nobody can guess.
pub(super) fn random_bytes() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes))?;
    Ok(bytes)
}

/// A name that no container has: two words by the id, and in the end with digits of it.
pub(super) fn free(store: &Store, id: &Id) -> Result<Name, Failure> {
    let digits = id.as_str().as_bytes();
    let number =
        |at: usize| digits[at..at + 4].iter().fold(0_usize, |sum, digit| sum * 31 + usize::from(*digit));
    let words = format!("{}_{}", HOW[number(0) % HOW.len()], WHAT[number(8) % WHAT.len()]);
    let name = Name::new(&words)?;
    match store.find(&words) {
        Err(error) if error.is_absence() => Ok(name),
        _ => Ok(Name::new(&format!("{words}_{}", &id.short()[..6]))?),
    }
}
