//! Who takes part.

use super::{Chain, Contender, Netavark, Rules};
use crate::series::Pair;
use crate::side::Side;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Everybody who publishes ports.
#[derive(Debug)]
pub struct Field {
    /// We.
    pub ours: Chain,
    /// The others.
    pub rivals: Vec<Box<dyn Contender>>,
    /// Who does not take part, and why.
    pub absent: Vec<Absent>,
}

/// One who does not take part.
#[derive(Clone, Copy, Debug)]
pub struct Absent {
    /// What it would be called in tables.
    pub name: &'static str,
    /// Why it does not.
    pub why: &'static str,
}

/// A plugin cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("look for back ends in {plugin}")]
pub struct Error {
    plugin: PathBuf,
    source: io::Error,
}

const IPTABLES: &str = "reference";
const NFTABLES: &str = "reference, nftables";
const NETAVARK: &str = "netavark";

impl Field {
    /// Asks who is there.
    ///
    /// # Errors
    /// [`Error`].
    pub fn gather(sides: &Pair<Side>, netavark: Option<&Path>) -> Result<Self, Error> {
        let ours = Chain::publishing("ours", &sides.ours, Rules::Usual);
        let mut rivals: Vec<Box<dyn Contender>> =
            vec![Box::new(Chain::publishing(IPTABLES, &sides.reference, Rules::Usual))];
        let mut absent = Vec::new();
        if has_back_ends(&sides.reference)? {
            rivals.push(Box::new(Chain::publishing(NFTABLES, &sides.reference, Rules::Nftables)));
        } else {
            let why = "the installed plugins know no other back end than iptables";
            absent.push(Absent { name: NFTABLES, why });
        }
        match netavark {
            Some(program) => rivals.push(Box::new(Netavark::new(program))),
            None => {
                let why = "it is not installed (Debian package netavark: `make packages`)";
                absent.push(Absent { name: NETAVARK, why });
            }
        }
        Ok(Self { ours, rivals, absent })
    }

    /// The rivals, and then we.
    pub fn all(&self) -> impl Iterator<Item = &dyn Contender> {
        self.rivals.iter().map(Box::as_ref).chain([&self.ours as &dyn Contender])
    }
}

/// Whether the reference's plugins can be told which rules to write. They do not refuse a key that they do not know,
/// and their version is not in what they say; but the keys that they know are in their files.
fn has_back_ends(side: &Side) -> Result<bool, Error> {
    let plugin = side.plugin("bridge");
    match fs::read(&plugin) {
        Ok(file) => Ok(contains(&file, b"ipMasqBackend")),
        Err(source) => Err(Error { plugin, source }),
    }
}

fn contains(file: &[u8], word: &[u8]) -> bool {
    file.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_wherever_it_is() {
        assert!(contains(b"json:\"ipMasqBackend\"", b"ipMasqBackend"));
        assert!(!contains(b"json:\"ipMasq\"", b"ipMasqBackend"));
    }
}
