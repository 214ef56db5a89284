//! What a network without leases leaves on disk goes with it.

use std::path::Path;

use cni::StatusCall;

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn lower(call: &StatusCall, run_dir: &Path) -> Result<(), HostLocalError> {
    // A lease that is left is GC's; with it everything stays.
    config::store(&call.call.config, run_dir)?.remove_if_empty()?;
    Ok(())
}
