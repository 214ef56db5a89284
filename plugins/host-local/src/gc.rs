//! GC: leases of attachments that are no more are free again.

use std::path::Path;

use cni::{Attempts, Failure, GcCall};

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn gc(gc: &GcCall, run_dir: &Path) -> Result<(), Failure> {
    let collected = config::store(&gc.call.config, run_dir)?.retain(gc.valid.iter());
    let mut attempts = Attempts::default();
    for error in collected.map_err(HostLocalError::Store)?.failed {
        attempts.note(Err::<(), _>(HostLocalError::Store(error)));
    }
    attempts.finish()
}
