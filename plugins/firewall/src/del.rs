//! DEL: whatever was opened for an attachment is closed, and everything is tried.

use cni::{Attempts, DelCall, Failure};
use firewall::Firewall;

use crate::config;
use crate::notes::{self, Note, Notes};
use crate::plan::Plan;
use crate::release::{self, Leaving};

pub(crate) fn del(call: &DelCall) -> Result<(), Failure> {
    let config = &call.call.config;
    let mut attempts = Attempts::default();
    let mut firewall = Firewall::new();
    let (owner, notes) = (notes::owner(config.name(), &call.attachment), Notes::new());
    let settings = attempts.note(config::read(config));
    let noted = attempts.note(notes.find(&owner));
    let is_read = noted.is_some();
    let noted = noted.flatten();
    let is_noted = noted.is_some();
    // A result that cannot be read is as good as none: what it would tell is in the note.
    let told =
        config.prev_result().ok().flatten().and_then(|result| Plan::new(&result).ok()).unwrap_or_default();
    let note = match noted {
        Some(note) => with_addresses(note, &told),
        None => {
            let settings = settings.as_ref().filter(|_| !told.addresses.is_empty());
            Note {
                zone: settings.and_then(|settings| release::zone_of_unnoted(settings, &mut firewall)),
                bridge: told
                    .bridge
                    .clone()
                    .filter(|_| settings.is_some_and(|settings| settings.ingress.is_some())),
                ports: told.ports.clone(),
                apart: Vec::new(),
                addresses: told.addresses,
            }
        }
    };
    let leaving = Leaving { network: config.name(), owner: &owner, note: &note, is_noted };
    // A note that cannot be read now may tell the next DEL more than we know.
    attempts.note(if is_read {
        leaving.leave(&mut firewall, &notes)
    } else {
        leaving.close_all(&mut firewall, &notes).map(drop)
    });
    release::close(firewall, &call.call);
    attempts.finish()
}

/// What was noted, and what the runtime tells beyond it.
fn with_addresses(mut note: Note, told: &Plan) -> Note {
    for address in &told.addresses {
        if !note.addresses.contains(address) {
            note.addresses.push(*address);
        }
    }
    note
}
