//! Hints for one operation, made of a scan, where none can be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use subnet::{Family, bits};

use crate::hints::Hints;
use crate::rotation::Taken;
use crate::scan::Survey;

/// The survey, turned round.
pub(crate) struct MemoryHints {
    files: BTreeMap<String, Vec<String>>,
    taken: BTreeSet<(Family, u128)>,
}

impl MemoryHints {
    pub(crate) fn new(survey: &Survey) -> Self {
        let files = survey.files_by_key().into_iter();
        let files = files.map(|(key, files)| (key, files.into_iter().map(str::to_owned).collect())).collect();
        let taken = survey.taken().map(|address| (Family::of(address), bits(address))).collect();
        Self { files, taken }
    }
}

impl Taken for MemoryHints {
    fn first_free(&mut self, family: Family, from: u128, to: u128) -> io::Result<Option<u128>> {
        let mut free = from;
        for (_, taken) in self.taken.range((family, from)..=(family, to)) {
            if *taken != free {
                break;
            }
            match free.checked_add(1) {
                Some(next) if free < to => free = next,
                _ => return Ok(None),
            }
        }
        Ok(Some(free))
    }
}

impl Hints for MemoryHints {
    fn files(&mut self, key: &str) -> io::Result<Vec<String>> {
        Ok(self.files.get(key).cloned().unwrap_or_default())
    }

    fn set_files(&mut self, key: &str, files: &[String]) {
        self.files.insert(key.to_owned(), files.to_vec());
    }

    fn mark(&mut self, address: IpAddr) {
        self.taken.insert((Family::of(address), bits(address)));
    }

    fn clear(&mut self, address: IpAddr) {
        self.taken.remove(&(Family::of(address), bits(address)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_address_lies_behind_the_taken_ones() {
        let mut hints = MemoryHints::new(&Survey::default());
        for address in ["10.0.0.2", "10.0.0.3", "10.0.0.5", "0.0.0.4"] {
            hints.mark(address.parse().unwrap());
        }
        let base = bits("10.0.0.0".parse().unwrap());
        let mut first =
            |from, to| hints.first_free(Family::V4, base + from, base + to).unwrap().map(|at| at - base);
        assert_eq!(first(1, 6), Some(1));
        assert_eq!(first(2, 6), Some(4));
        assert_eq!(first(2, 3), None);
        assert_eq!(first(5, 5), None);
    }
}
