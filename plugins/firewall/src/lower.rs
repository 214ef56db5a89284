//! Lower: what containers shared in iptables' chain FORWARD goes, when no container of any network needs it.

use cni::{Failure, StatusCall};
use firewall::Firewall;

use crate::config;
use crate::error::StepFault;
use crate::release;

pub(crate) fn lower(call: &StatusCall) -> Result<(), Failure> {
    let settings = config::read(&call.call.config)?;
    let mut firewall = Firewall::new();
    let removed = firewall.remove_unused_iptables_forward(&settings.admin_chain);
    release::close(firewall, &call.call);
    Ok(removed.map(drop).map_err(StepFault::from)?)
}
