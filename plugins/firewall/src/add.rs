//! ADD: everything, or nothing.

use cni::{AddCall, ConfigError, Failure, Success, Verb};
use firewall::{Firewall, Ingress, Owner};
use undo::Undo;
use vocab::{InterfaceName, NetworkName};

use crate::backend::{Backend, Traffic};
use crate::config::{self, Settings};
use crate::error::StepFault;
use crate::notes::{self, Note, Notes};
use crate::plan::Plan;
use crate::release::{self, Leaving};
use crate::{apart, ingress};

pub(crate) fn add(call: &AddCall) -> Result<Success, Failure> {
    let config = &call.call.config;
    let settings = config::read(config)?;
    let missing = || ConfigError::MissingPrevResult { verb: Verb::Add };
    let result = config.prev_result()?.ok_or_else(missing)?;
    let plan = Plan::new(&result)?;
    let add = Add {
        network: config.name(),
        settings: &settings,
        plan: &plan,
        owner: notes::owner(config.name(), &call.attachment),
        notes: Notes::new(),
    };
    let mut firewall = Firewall::new();
    if !plan.addresses.is_empty() {
        undo::attempt(|undo| add.run(&mut firewall, undo))?;
    }
    release::close(firewall, &call.call);
    Ok(result)
}

/// What an ADD works with.
struct Add<'a> {
    network: &'a NetworkName,
    settings: &'a Settings,
    plan: &'a Plan,
    owner: Owner,
    notes: Notes,
}

impl<'a> Add<'a> {
    fn run(&'a self, firewall: &mut Firewall, undo: &mut Undo<'a>) -> Result<(), Failure> {
        let mut backend = Backend::choose(self.settings.backend, firewall)?;
        let ingress = ingress::wanted(self.settings, self.plan)?;
        // From here on whoever leaves waits, or lets things be.
        let _joined = ingress.map(|ingress| ingress::join(&ingress)).transpose()?;
        let earlier = self.notes.find(&self.owner)?;
        let note = Note {
            addresses: self.plan.addresses.clone(),
            zone: backend.zone(self.settings).map(str::to_owned),
            bridge: ingress.map(|ingress| ingress.bridge.clone()),
            ports: self.plan.ports.clone(),
            apart: self.to_keep_apart(ingress.as_ref(), earlier.as_ref())?,
        };
        let apart = note.apart.clone();
        self.write_down(firewall, earlier, note, undo)?;
        let _ = apart::keep(&apart)?;
        let in_one_go = ingress::is_by_iptables(self.settings);
        if let Some(ingress) = ingress.filter(|_| !in_one_go) {
            // Before the way is opened it is closed where it must be.
            let _ = ingress::ensure(firewall, self.network, &ingress)?;
        }
        let traffic = Traffic {
            settings: self.settings,
            owner: &self.owner,
            addresses: &self.plan.addresses,
            ingress: ingress.filter(|_| in_one_go),
        };
        let _ = backend.open(firewall, &traffic)?;
        Ok(())
    }

    /// The ports that DEL is to let go again: not those that somebody else keeps apart, but those that an earlier ADD of
    /// ours does.
    fn to_keep_apart(
        &self,
        ingress: Option<&Ingress<'_>>,
        earlier: Option<&Note>,
    ) -> Result<Vec<InterfaceName>, StepFault> {
        let mut apart = apart::find_together(ingress, self.plan)?;
        let still = earlier.into_iter().flat_map(|note| &note.apart);
        apart.extend(
            still
                .filter(|port| self.plan.ports.contains(port) && !apart.contains(port))
                .cloned()
                .collect::<Vec<_>>(),
        );
        Ok(apart)
    }

    /// Notes what is about to be opened, so that whatever happens from here on can be found and closed.
    fn write_down(
        &'a self,
        firewall: &mut Firewall,
        earlier: Option<Note>,
        note: Note,
        undo: &mut Undo<'a>,
    ) -> Result<(), Failure> {
        // A second ADD of a container that runs adds nothing, so it takes nothing back either.
        if earlier.as_ref() == Some(&note) {
            return Ok(());
        }
        if let Some(earlier) = &earlier {
            self.forget_others(firewall, earlier, &note)?;
        }
        let owner = self.owner.clone();
        undo.push(format!("close the way of {owner}"), {
            let note = note.clone();
            move || self.take_back(&owner, &note)
        });
        Ok(self.notes.write(&self.owner, &note)?)
    }

    /// Closes the way for addresses that this attachment had before, and in a zone that it was in: a DEL that never
    /// came.
    fn forget_others(&self, firewall: &mut Firewall, earlier: &Note, note: &Note) -> Result<(), StepFault> {
        let still = self.notes.still_of(&self.owner, &earlier.addresses)?;
        let others = still.iter().filter(|address| !note.addresses.contains(address));
        let others: Vec<_> = others.copied().collect();
        firewall.remove_iptables_forward(&others)?;
        let in_zone = if note.zone == earlier.zone { &others } else { &still };
        release::zone(earlier.zone.as_deref(), in_zone)?;
        self.notes.remove_addresses(&self.owner, &others)
    }

    fn take_back(&self, owner: &Owner, note: &Note) -> Result<(), cni::Cause> {
        let leaving = Leaving { network: self.network, owner, note, is_noted: true };
        leaving.leave(&mut Firewall::new(), &self.notes).map_err(cni::Cause::from)
    }
}
