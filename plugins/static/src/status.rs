//! STATUS: an ADD can be served if its configuration can be read.

use cni::StatusCall;

use crate::config;
use crate::error::StaticError;

pub(crate) fn status(status: &StatusCall) -> Result<(), StaticError> {
    config::read(&status.call).map(|_| ())
}
