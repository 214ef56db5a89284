//! What is taken away: by DEL and GC, and by an ADD that failed half way.

use std::net::IpAddr;

use cni::{Attempts, Call, Failure};
use firewall::{Firewall, Owner};
use netlink::reaper::{self, Caller};
use vocab::NetworkName;

use crate::backend::{Backend, zones};
use crate::config::Settings;
use crate::error::StepFault;
use crate::ingress;
use crate::notes::{Note, Notes};

/// An attachment that leaves, and what was opened for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaving<'a> {
    pub(crate) network: &'a NetworkName,
    pub(crate) owner: &'a Owner,
    pub(crate) note: &'a Note,
    /// What the network asks for, as far as that can be read.
    pub(crate) settings: Option<&'a Settings>,
}

impl Leaving<'_> {
    /// Closes the way and forgets it. The note goes last, and only when everything else is gone, so that another DEL or
    /// GC finds what is left.
    pub(crate) fn leave(&self, firewall: &mut Firewall, notes: &Notes) -> Result<(), Failure> {
        self.close_all(firewall, notes)?;
        Ok(notes.remove(self.owner, &self.note.addresses)?)
    }

    /// Closes the way, whoever opened it: a network may have changed its back end since.
    pub(crate) fn close_all(&self, firewall: &mut Firewall, notes: &Notes) -> Result<(), Failure> {
        let mut attempts = Attempts::default();
        self.close(firewall, notes, &mut attempts);
        attempts.note(self.open_bridge(firewall));
        attempts.finish()
    }

    fn close(&self, firewall: &mut Firewall, notes: &Notes, attempts: &mut Attempts) {
        if let Some(addresses) = attempts.note(notes.still_of(self.owner, &self.note.addresses)) {
            attempts.note(firewall.remove_iptables_forward(&addresses).map_err(StepFault::from));
            attempts.note(zone(self.note.zone.as_deref(), &addresses));
        }
        attempts.note(firewall.remove_passage(self.owner).map_err(StepFault::from));
    }

    fn open_bridge(&self, firewall: &mut Firewall) -> Result<(), StepFault> {
        let Some(bridge) = &self.note.bridge else { return Ok(()) };
        ingress::release(firewall, self.network, bridge, &self.note.ports, self.settings)
    }
}

/// Takes addresses out of a zone of firewalld. When firewalld is gone, so are its zones.
pub(crate) fn zone(zone: Option<&str>, addresses: &[IpAddr]) -> Result<(), StepFault> {
    let Some(zone) = zone.filter(|_| !addresses.is_empty()) else { return Ok(()) };
    match zones::open()? {
        Some(mut opened) => {
            Ok(zones::leave(&mut *opened, zone, addresses.iter().map(|address| (*address).into()))?)
        }
        None => Ok(()),
    }
}

/// In which zone an attachment is that nobody has noted: one that the reference made, or whose note the boot took.
pub(crate) fn zone_of_unnoted(settings: &Settings, firewall: &mut Firewall) -> Option<String> {
    // Where firewalld does not answer there is no zone, either.
    let backend = Backend::choose(settings.backend, firewall).ok()?;
    backend.zone(settings).map(str::to_owned)
}

/// Lets a child wait for the kernel to be done with what was deleted.
pub(crate) fn close(firewall: Firewall, call: &Call) {
    let caller = if call.registry.serves_one_call() { Caller::Exits } else { Caller::LivesOn };
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), caller);
}
