//! The end of a network: nobody comes to it from here on.

use cni::{Cause, GcCall, Valid, Verb};

use super::gc::{request_for, written};
use super::{Doing, Error, Errors, Reason, Runtime};
use crate::list::Injected;
use crate::{Entry, List, PluginConfig};

impl Runtime {
    /// Takes a whole network away, while no other verb is under way: the attachments that are kept, if `is_allowed` has
    /// nothing against it; what belongs to none (where the list lets GC be called); what [`raise`](Self::raise) made; at
    /// last `finish` is called, which removes the list itself. An ADD that waited for its turn meanwhile finds out by
    /// [`add_if`](Self::add_if).
    ///
    /// # Errors
    /// The caller's own, when `is_allowed` refuses, before anything is touched; everything that could not be taken away,
    /// and the list and what was raised are still there then, so that it can be repeated; the caller's own, when
    /// `finish` fails.
    pub fn retire<E: From<Errors>>(
        &self,
        list: &List,
        is_allowed: impl FnOnce(&[Entry]) -> Result<(), E>,
        finish: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |reason: Reason| Errors::from(Error::network(Doing::Retire, list, reason));
        let _held = self.locks.exclusive(list.name()).map_err(|error| failed(error.into()))?;
        let kept = self.cache.of_network(list.name()).map_err(|error| failed(error.into()))?;
        is_allowed(&kept)?;
        let mut errors: Vec<Error> =
            kept.into_iter().flat_map(|entry| self.del_unlocked(list, &request_for(entry))).collect();
        errors.extend(self.collect_all(list));
        Errors::none_of(errors)?;
        Errors::none_of(self.lower_plugins(list, list.plugins()))?;
        finish()
    }

    /// GC with nothing that is valid. Versions without GC have it of our own plugins only: nobody else is asked what they
    /// do not know.
    fn collect_all(&self, list: &List) -> Vec<Error> {
        let reasons = match list {
            list if list.is_gc_disabled() => Vec::new(),
            list if list.version() >= Verb::Gc.since() => self.gc_plugins(list, &Valid::default()),
            list => list.plugins().iter().filter_map(|plugin| self.gc_own(list, plugin).err()).collect(),
        };
        reasons.into_iter().map(|reason| Error::network(Doing::Collect, list, reason)).collect()
    }

    fn gc_own(&self, list: &List, plugin: &PluginConfig) -> Result<(), Reason> {
        let Some(own) = self.registry.find(plugin.kind()) else { return Ok(()) };
        let valid = Valid::default();
        let told = written(&valid);
        let injected = Injected { valid: Some(&told), ..Injected::default() };
        let call = self.call(list, plugin, injected, None)?;
        Ok(own.gc(&GcCall { call, valid }).map_err(Cause::from)?)
    }
}
