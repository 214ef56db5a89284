//! DEL: whatever the attachment has is free again.

use std::path::Path;

use cni::DelCall;

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn del(del: &DelCall, run_dir: &Path) -> Result<(), HostLocalError> {
    config::store(&del.call.config, run_dir)?.release(&del.attachment)?;
    Ok(())
}
