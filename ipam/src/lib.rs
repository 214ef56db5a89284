//! Ranges, leases, the store on disk.
//!
//! [`Ranges`] says what may be leased and in which order; it is pure. A [`Store`] is one network's directory
//! of leases in the layout of the reference plugin `host-local`, a file an address, so that either
//! implementation takes over the other's node.
//!
//! **The files are the truth.** A lease is had by whoever links its file, and the link fails if another has
//! it. Beside the truth, below the run directory, stand hints (the module `disk`): which container holds what, and
//! which addresses are taken. They make both verbs as quick with ten thousand leases as with ten, and they
//! are rebuilt whenever the lease directory is not as our last operation left it.

mod allocate;
mod bitmap;
mod boot;
mod collect;
mod directory;
mod disk;
mod error;
mod hints;
mod lease_file;
mod memory;
mod range;
mod range_set;
mod release;
mod remove;
mod request;
mod rotation;
mod scan;
mod session;
mod stamp;
mod store;
#[cfg(test)]
mod tests;

pub use collect::Collected;
pub use error::StoreError;
pub use lease_file::{Holder, Occupant};
pub use range::{Field, Place, Range, RangeError, RangeSpec};
pub use range_set::{Lease, RangeSet, Ranges};
pub use request::RequestError;
pub use scan::{Found, Strange, Survey};
pub use store::{DEFAULT_DATA_DIR, Store};
