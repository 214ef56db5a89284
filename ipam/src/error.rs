//! Why an operation on a store failed.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

use vocab::{Attachment, NetworkName};

use crate::lease_file::Occupant;
use crate::request::RequestError;

/// Why an operation on a store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made or opened.
    #[error("open lease directory {path}")]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory cannot be locked.
    #[error("lock lease directory {path}")]
    Lock {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The leases cannot be listed or read.
    #[error("read leases in {path}")]
    Read {
        /// The directory or the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A lease cannot be removed.
    #[error("remove lease {path}")]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What a network without leases left cannot be removed.
    #[error("remove {path}")]
    Clear {
        /// The directory or the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The addresses that were asked for cannot be had.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The address that was asked for is another's.
    #[error("lease requested address {address} of network {network}: {occupant} has it")]
    Occupied {
        /// The network.
        network: NetworkName,
        /// The address.
        address: IpAddr,
        /// Who has it.
        occupant: Occupant,
    },
    /// The attachment has an address of this set already.
    #[error("lease an address of network {network} for {owner}: it has {address} of range set {set} already")]
    Held {
        /// The network.
        network: NetworkName,
        /// The attachment.
        owner: Box<Attachment>,
        /// What it has.
        address: IpAddr,
        /// The number of the set, the first being 0.
        set: usize,
    },
    /// Every address of a set is leased.
    #[error(
        "lease an address of network {network}: range set {set} ({ranges}) is exhausted by {leases} leases"
    )]
    Exhausted {
        /// The network.
        network: NetworkName,
        /// The number of the set, the first being 0.
        set: usize,
        /// Its ranges.
        ranges: String,
        /// How many leases there are in it.
        leases: usize,
    },
}
