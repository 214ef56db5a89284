//! CHECK: what ADD answered agrees with the configuration.

use cni::{CheckCall, Ip, Verb};

use crate::config;
use crate::error::StaticError;

/// An address that ADD did not answer is no fault, as with the reference: the configuration may name one
/// more since then.
pub(crate) fn check(check: &CheckCall) -> Result<(), StaticError> {
    let plan = config::read(&check.call)?.plan;
    let answered = check.call.config.expect_prev_result(Verb::Check)?;
    for Ip { address, gateway, .. } in plan {
        let Some(expected) = gateway else { continue };
        let found = answered.ips.iter().find(|ip| ip.address.ip() == address.ip()).map(|ip| ip.gateway);
        if let Some(found) = found.filter(|found| *found != Some(expected)) {
            let (owner, address) = (check.attachment.clone(), address.ip());
            return Err(StaticError::Gateway { owner, address, found, expected });
        }
    }
    Ok(())
}
