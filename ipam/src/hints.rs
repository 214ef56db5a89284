//! What is known of the leases without reading them. It may be wrong; the files are right.

use std::io;
use std::net::IpAddr;

use crate::disk::DiskHints;
use crate::memory::MemoryHints;
use crate::rotation::Taken;

/// A set bit or a listed file means "look there"; only a lease file proves anything.
///
/// Writing never fails the operation: hints that could not be written are thrown away as a whole.
pub(crate) trait Hints: Taken {
    /// The files that the holder with `key` may have.
    fn files(&mut self, key: &str) -> io::Result<Vec<String>>;

    /// Says which files the holder has now.
    fn set_files(&mut self, key: &str, files: &[String]);

    /// Says that there is a file for `address`.
    fn mark(&mut self, address: IpAddr);

    /// Says that there is none.
    fn clear(&mut self, address: IpAddr);
}

/// Where the hints are.
pub(crate) enum Backing {
    /// In the run directory, for the next operation as well.
    Disk(DiskHints),
    /// Here, for this operation only: the run directory cannot be used.
    Memory(MemoryHints),
}

impl Backing {
    pub(crate) fn hints(&mut self) -> &mut dyn Hints {
        match self {
            Self::Disk(hints) => hints,
            Self::Memory(hints) => hints,
        }
    }
}
