//! GC: ports of attachments that are not valid go.

use cni::{Attempts, Failure, GcCall};
use firewall::Firewall;
use netlink::reaper;
use vocab::ContainerId;

use crate::error::StepFault;

pub(crate) fn gc(call: &GcCall) -> Result<(), Failure> {
    let network = call.call.config.name();
    let mut attempts = Attempts::default();
    let mut firewall = Firewall::new();
    let kept = firewall.retain(|owner| owner.is_kept(network, call.valid.iter()));
    attempts.note(kept.map_err(StepFault::from));
    let is_valid = |container: &ContainerId| call.valid.has_container(container.as_str());
    attempts.note(firewall.retain_iptables_publications(network, is_valid).map_err(StepFault::from));
    if call.valid.is_empty() {
        attempts.note(firewall.remove_empty_tables().map_err(StepFault::from));
    }
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), link::caller(&call.call));
    attempts.finish()
}
