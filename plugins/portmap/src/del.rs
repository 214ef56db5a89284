//! DEL: whatever an attachment published goes, whoever published it and whatever the runtime still knows.

use cni::{Attempts, DelCall, Failure};
use firewall::Firewall;
use netlink::reaper;

use crate::config::Settings;
use crate::error::StepFault;
use crate::forget;

pub(crate) fn del(call: &DelCall) -> Result<(), Failure> {
    let mut attempts = Attempts::default();
    // A configuration that cannot be read is told of; what was published is found without it.
    attempts.note(Settings::read(&call.call.config));
    let mut firewall = Firewall::new();
    let withdrawn = firewall.unpublish(&call.attachment).map_err(StepFault::from);
    if let Some(ports) = attempts.note(withdrawn) {
        attempts.note(forget::withdrawn(&ports).map_err(StepFault::from));
    }
    let (network, container) = (call.call.config.name(), &call.attachment.container);
    // Also without being asked for: the back end may be another one now, or the reference have been here before.
    let removed = firewall.remove_iptables_publication(network, container);
    attempts.note(removed.map_err(StepFault::from));
    attempts.note(firewall.remove_reference_ports(container).map_err(StepFault::from));
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), link::caller(&call.call));
    attempts.finish()
}
