//! ADD: says what the configuration says.

use cni::{AddCall, Success};

use crate::config;
use crate::error::StaticError;

pub(crate) fn add(add: &AddCall) -> Result<Success, StaticError> {
    let settings = config::read(&add.call)?;
    Ok(Success { ips: settings.plan, routes: settings.routes, dns: settings.dns, ..Success::default() })
}
