//! How much an archive may become, and the counting of it.
//!
//! A few kilobytes can hold petabytes of zeros, or files without end. What is counted is what is read and written, never
//! what an archive says of itself.

use std::cell::Cell;
use std::io;

const MEBI: u64 = 1 << 20;
const GIBI: u64 = 1 << 30;

/// How much one load or import may read and write. Generous: nobody's image should meet them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes that are kept or unpacked, all layers together.
    pub bytes: u64,
    /// How many times larger than what is read its content may be; from [`Limits::ratio_from`] on.
    pub ratio: u64,
    /// Bytes of content that may be as dense as they like. Few zeros are no bomb.
    pub ratio_from: u64,
    /// Entries of all archives together.
    pub entries: u64,
    /// Layers of one image: overlayfs stacks 500, Docker 127.
    pub layers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 * GIBI, ratio: 500, ratio_from: GIBI, entries: 4_000_000, layers: 127 }
    }
}

/// Bytes that long names, extended headers and maps of sparse files may have, for one entry. They are held in memory.
pub(crate) const LONGEST_HEADER: u64 = 2 * MEBI;

/// Bytes of a configuration, manifest or index, which are held in memory.
pub(crate) const LONGEST_DOCUMENT: u64 = 8 * MEBI;

/// A limit was met.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum LimitExceeded {
    #[error("the content is larger than the limit of {limit} bytes")]
    Bytes { limit: u64 },
    #[error("the content is more than {limit} times larger than what it is packed in")]
    Ratio { limit: u64 },
    #[error("there are more entries than the limit of {limit}")]
    Entries { limit: u64 },
    #[error("the names and attributes of one entry are larger than the limit of {limit} bytes")]
    Header { limit: u64 },
}

impl From<LimitExceeded> for io::Error {
    fn from(limit: LimitExceeded) -> Self {
        Self::other(limit)
    }
}

/// The limit that is the reason of an error of reading, if one is.
pub(crate) fn limit_behind(error: &io::Error) -> Option<LimitExceeded> {
    // Readers on top wrap the errors of those below.
    let inner = error.get_ref()?;
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(inner);
    while let Some(error) = cause {
        if let Some(limit) = error.downcast_ref::<LimitExceeded>() {
            return Some(*limit);
        }
        if let Some(found) = error.downcast_ref::<io::Error>().and_then(limit_behind) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// Counts what one load reads and writes.
pub(crate) struct Meter {
    limits: Limits,
    bytes: Cell<u64>,
    entries: Cell<u64>,
}

impl Meter {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, bytes: Cell::new(0), entries: Cell::new(0) }
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// These bytes are kept.
    pub(crate) fn charge(&self, count: u64) -> Result<(), LimitExceeded> {
        self.bytes.set(self.bytes.get().saturating_add(count));
        let limit = self.limits.bytes;
        if self.bytes.get() > limit { Err(LimitExceeded::Bytes { limit }) } else { Ok(()) }
    }

    /// One more entry.
    pub(crate) fn charge_entry(&self) -> Result<(), LimitExceeded> {
        self.entries.set(self.entries.get() + 1);
        let limit = self.limits.entries;
        if self.entries.get() > limit { Err(LimitExceeded::Entries { limit }) } else { Ok(()) }
    }

    /// So much was read from what was packed in so much.
    pub(crate) const fn check_ratio(&self, packed: u64, unpacked: u64) -> Result<(), LimitExceeded> {
        let limit = self.limits.ratio;
        if unpacked > self.limits.ratio_from && unpacked > packed.saturating_mul(limit) {
            return Err(LimitExceeded::Ratio { limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_found_behind_the_errors_of_readers() {
        let limit = LimitExceeded::Entries { limit: 3 };
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, io::Error::from(limit));
        assert_eq!(limit_behind(&wrapped), Some(limit));
        assert_eq!(limit_behind(&io::Error::other("no limit")), None);
    }

    #[test]
    fn few_bytes_may_be_as_dense_as_they_like() {
        let meter = Meter::new(Limits { ratio: 10, ratio_from: 1000, ..Limits::default() });
        assert_eq!(meter.check_ratio(1, 1000), Ok(()));
        assert_eq!(meter.check_ratio(200, 2000), Ok(()));
        assert_eq!(meter.check_ratio(199, 2000), Err(LimitExceeded::Ratio { limit: 10 }));
    }
}
