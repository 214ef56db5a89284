//! ADD: everything, or nothing.

use cni::{AddCall, Failure, Success, Verb};
use firewall::Firewall;
use undo::Undo;
use vocab::InterfaceName;

use crate::asked::{Asked, Closing};
use crate::backend::Backend;
use crate::error::StepFault;
use crate::notes::{Note, Notes};
use crate::release::{self, Leaving};
use crate::{apart, ingress};

pub(crate) fn add(call: &AddCall) -> Result<Success, Failure> {
    let asked = Asked::read(&call.call.config, &call.attachment, Verb::Add)?;
    let mut firewall = Firewall::new();
    if !asked.is_empty() {
        let add = Add { asked: &asked, notes: Notes::new() };
        undo::attempt(|undo| add.run(&mut firewall, undo))?;
    }
    release::close(firewall, &call.call);
    Ok(asked.result)
}

/// What an ADD works with.
struct Add<'a> {
    asked: &'a Asked<'a>,
    notes: Notes,
}

impl<'a> Add<'a> {
    fn run(&'a self, firewall: &mut Firewall, undo: &mut Undo<'a>) -> Result<(), Failure> {
        let Asked { network, settings, plan, owner, .. } = self.asked;
        let mut backend = Backend::choose(settings.backend, firewall)?;
        let closing = self.asked.closing()?;
        // From here on whoever leaves waits, or lets things be.
        let _joined = closing.any.map(|ingress| ingress::join(&ingress)).transpose()?;
        let earlier = self.notes.find(owner)?;
        let note = Note {
            addresses: plan.addresses.clone(),
            zone: backend.zone(settings).map(str::to_owned),
            bridge: closing.any.map(|ingress| ingress.bridge.clone()),
            ports: plan.ports.clone(),
            apart: self.to_keep_apart(&closing, earlier.as_ref())?,
        };
        self.write_down(firewall, earlier, &note, undo)?;
        // Before the way is opened it is closed where it must be.
        let _ = apart::keep(&note.apart)?;
        if let Some(ingress) = closing.by_table {
            let _ = ingress::ensure(firewall, network, &ingress)?;
        }
        let _ = backend.open(firewall, &self.asked.traffic(&closing))?;
        Ok(())
    }

    /// The ports that DEL is to let go again: not those that somebody else keeps apart, but those that an earlier ADD of
    /// ours does.
    fn to_keep_apart(
        &self,
        closing: &Closing<'_>,
        earlier: Option<&Note>,
    ) -> Result<Vec<InterfaceName>, StepFault> {
        let mut ports = apart::find_together(closing.any.as_ref(), &self.asked.plan)?;
        for port in earlier.into_iter().flat_map(|note| &note.apart) {
            if self.asked.plan.ports.contains(port) && !ports.contains(port) {
                ports.push(port.clone());
            }
        }
        Ok(ports)
    }

    /// Notes what is about to be opened, so that whatever happens from here on can be found and closed.
    fn write_down(
        &'a self,
        firewall: &mut Firewall,
        earlier: Option<Note>,
        note: &Note,
        undo: &mut Undo<'a>,
    ) -> Result<(), Failure> {
        // A second ADD of a container that runs adds nothing, so it takes nothing back either.
        if earlier.as_ref() == Some(note) {
            return Ok(());
        }
        if let Some(earlier) = &earlier {
            self.forget_others(firewall, earlier, note)?;
        }
        let owner = &self.asked.owner;
        undo.push(format!("close the way of {owner}"), {
            let note = note.clone();
            move || self.take_back(&note)
        });
        Ok(self.notes.write(owner, note)?)
    }

    /// Closes the way for addresses that this attachment had before, and in a zone that it was in: a DEL that never
    /// came.
    fn forget_others(&self, firewall: &mut Firewall, earlier: &Note, note: &Note) -> Result<(), StepFault> {
        let owner = &self.asked.owner;
        let still = self.notes.still_of(owner, &earlier.addresses)?;
        let others = still.iter().filter(|address| !note.addresses.contains(address));
        let others: Vec<_> = others.copied().collect();
        firewall.remove_iptables_forward(&others)?;
        let in_zone = if note.zone == earlier.zone { &others } else { &still };
        release::zone(earlier.zone.as_deref(), in_zone)?;
        self.notes.remove_addresses(owner, &others)
    }

    fn take_back(&self, note: &Note) -> Result<(), cni::Cause> {
        let Asked { network, owner, .. } = self.asked;
        let leaving = Leaving { network, owner, note, is_noted: true };
        leaving.leave(&mut Firewall::new(), &self.notes).map_err(cni::Cause::from)
    }
}
