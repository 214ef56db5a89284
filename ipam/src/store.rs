//! One network's leases on disk: where they are.

use std::path::{Path, PathBuf};

use vocab::NetworkName;

use crate::directory::{LeaseDirectory, check_writable};
use crate::error::StoreError;
use crate::range_set::Ranges;
use crate::session::Session;

/// Where the reference keeps its leases, a directory for each network.
pub const DEFAULT_DATA_DIR: &str = "/var/lib/cni/networks";

/// One network's leases. Every method is one step under the network's lock; any number of threads and
/// processes may take it at once.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) network: NetworkName,
    directory: PathBuf,
    run_dir: PathBuf,
}

impl Store {
    /// The leases of `network` below `data_dir`, with hints below `run_dir`. Nothing is touched yet.
    #[must_use]
    pub fn new(data_dir: &Path, network: &NetworkName, run_dir: &Path) -> Self {
        let directory = data_dir.join(network.as_str());
        Self { network: network.clone(), directory, run_dir: run_dir.to_owned() }
    }

    /// The network's lease directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Finds out whether an attachment could have its addresses now. It changes no lease.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the directory cannot be written to, [`StoreError::Exhausted`] when a set has
    /// no address left.
    pub fn check_available(&self, ranges: &Ranges) -> Result<(), StoreError> {
        let writable = check_writable(&self.directory);
        writable.map_err(|source| StoreError::Open { path: self.directory.clone(), source })?;
        let Some(mut session) = self.find_session()? else { return Ok(()) };
        let mut sets = ranges.sets().iter().enumerate();
        let checked =
            sets.try_for_each(|(number, set)| session.find_free(&self.network, number, set).map(|_| ()));
        session.finish();
        checked
    }

    /// Begins an operation; makes the directory if need be.
    pub(crate) fn session(&self) -> Result<Session, StoreError> {
        Session::begin(LeaseDirectory::ensure_locked(&self.directory)?, &self.run_dir)
    }

    /// Begins an operation, if there is a directory.
    pub(crate) fn find_session(&self) -> Result<Option<Session>, StoreError> {
        let directory = LeaseDirectory::find_locked(&self.directory)?;
        directory.map(|directory| Session::begin(directory, &self.run_dir)).transpose()
    }
}
