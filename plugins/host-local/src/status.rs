//! STATUS: an ADD would find an address of every range set, and could write it down.

use std::path::Path;

use cni::StatusCall;

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn status(status: &StatusCall, run_dir: &Path) -> Result<(), HostLocalError> {
    let config = &status.call.config;
    let settings = config::read(&status.call)?;
    let available = config::store(config, run_dir)?.check_available(&settings.ranges);
    available.map_err(|source| HostLocalError::NotAvailable { network: config.name().clone(), source })
}
