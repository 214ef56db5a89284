//! STATUS: whether ports could be published.

use cni::{Failure, NotAvailable, StatusCall};
use firewall::Firewall;

use crate::config::{Backend, Settings};
use crate::error::StepFault;

pub(crate) fn status(call: &StatusCall) -> Result<(), Failure> {
    let settings = Settings::read(&call.call.config)?;
    let mut firewall = Firewall::new();
    let asked = match settings.backend {
        Backend::Nftables(_) => firewall.list_ports().map(drop).map_err(StepFault::from),
        Backend::Iptables(_) => firewall::iptables::require().map_err(StepFault::from),
    };
    asked.map_err(NotAvailable::because)
}
