//! GC: what was opened for no valid attachment is closed.

use cni::{Attempts, Failure, GcCall};
use firewall::{Firewall, Owner};

use crate::error::StepFault;
use crate::notes::{self, Notes};
use crate::release::{self, Leaving};
use crate::{config, ingress};

pub(crate) fn gc(call: &GcCall) -> Result<(), Failure> {
    let network = call.call.config.name();
    let mut attempts = Attempts::default();
    let mut firewall = Firewall::new();
    let notes = Notes::new();
    let settings = attempts.note(config::read(&call.call.config));
    let valid: Vec<Owner> = call.valid.iter().map(|attachment| notes::owner(network, attachment)).collect();
    for (owner, note) in attempts.note(notes.of_network(network)).unwrap_or_default() {
        if !valid.contains(&owner) {
            let leaving = Leaving { network, owner: &owner, note: &note, is_noted: true };
            attempts.note(leaving.leave(&mut firewall, &notes));
        }
    }
    // Elements say themselves whose they are, also when their note is gone.
    let is_kept = |owner: &Owner| !owner.belongs_to(network) || valid.contains(owner);
    attempts.note(firewall.retain_passages(is_kept).map_err(StepFault::from));
    attempts.note(ingress::collect(&mut firewall));
    if call.valid.is_empty() {
        attempts.note(firewall.remove_policy(network).map_err(StepFault::from));
        if let Some(settings) = &settings {
            let removed = firewall.remove_unused_iptables_forward(&settings.admin_chain);
            attempts.note(removed.map_err(StepFault::from));
        }
        attempts.note(firewall.remove_empty_tables().map_err(StepFault::from));
    }
    release::close(firewall, &call.call);
    attempts.finish()
}
