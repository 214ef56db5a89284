//! What is taken away: by DEL and GC, and by an ADD that failed half way.

use std::net::IpAddr;

use cni::{Attempts, Call, Failure};
use firewall::{Firewall, Owner};
use link::turn::{self, Matter, Turn};
use netlink::reaper;
use vocab::NetworkName;

use crate::backend::{Backend, zones};
use crate::config::Settings;
use crate::error::StepFault;
use crate::notes::{Note, Notes};
use crate::{apart, ingress};

/// An attachment that leaves, and what was opened for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaving<'a> {
    pub(crate) network: &'a NetworkName,
    pub(crate) owner: &'a Owner,
    pub(crate) note: &'a Note,
    /// Whether that was written down. Otherwise it is what the runtime tells, and others may have lost their notes, too.
    pub(crate) is_noted: bool,
}

impl Leaving<'_> {
    /// Closes the way and forgets it. The note goes last, and only when everything else is gone, so that another DEL or
    /// GC finds what is left.
    pub(crate) fn leave(&self, firewall: &mut Firewall, notes: &Notes) -> Result<(), Failure> {
        // Until the note is gone: of two who leave at once, the second must see that it is the last.
        let _turn = self.close_all(firewall, notes)?;
        Ok(notes.remove(self.owner, &self.note.addresses)?)
    }

    /// Closes the way, whoever opened it: a network may have changed its back end since. The turn for opening the bridge,
    /// if one was closed, is the caller's then.
    pub(crate) fn close_all(&self, firewall: &mut Firewall, notes: &Notes) -> Result<Option<Turn>, Failure> {
        let mut attempts = Attempts::default();
        self.close(firewall, notes, &mut attempts);
        let turn = attempts.note(self.open_bridge(firewall, notes)).flatten();
        attempts.finish()?;
        Ok(turn)
    }

    fn close(&self, firewall: &mut Firewall, notes: &Notes, attempts: &mut Attempts) {
        if let Some(addresses) = attempts.note(notes.still_of(self.owner, &self.note.addresses)) {
            attempts.note(firewall.remove_iptables_forward(&addresses).map_err(StepFault::from));
            attempts.note(zone(self.note.zone.as_deref(), &addresses));
        }
        attempts.note(firewall.remove_passage(self.owner).map_err(StepFault::from));
        attempts.note(apart::end(&self.note.apart));
    }

    fn open_bridge(&self, firewall: &mut Firewall, notes: &Notes) -> Result<Option<Turn>, StepFault> {
        let Some(bridge) = &self.note.bridge else { return Ok(None) };
        let turn = turn::take(bridge, Matter::Ingress)?;
        ingress::release(firewall, notes, self, bridge, &turn)?;
        Ok(Some(turn))
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
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), link::caller(call));
}
