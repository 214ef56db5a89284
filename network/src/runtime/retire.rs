//! The end of a network: nobody comes to it from here on.

use cni::{Cause, GcCall, Valid, Verb};

use super::gc::{request_for, written};
use super::{Doing, Error, Errors, Reason, Request, Runtime};
use crate::list::Injected;
use crate::{Entry, List, PluginConfig};

impl Runtime {
    /// Takes a whole network away, while no other verb is under way: the attachments that are kept, if `allow` has nothing
    /// against it, and those that it returns, of which nothing is kept, for their ADD was killed; what belongs to none (where the list lets GC be called); what [`raise`](Self::raise) made; at
    /// last `finish` is called, which removes the list itself. An ADD that waited for its turn meanwhile finds out by
    /// [`add_if`](Self::add_if).
    ///
    /// # Errors
    /// The caller's own, when `allow` refuses, before anything is touched; everything that could not be taken away,
    /// and the list and what was raised are still there then, so that it can be repeated; the caller's own, when
    /// `finish` fails.
    pub fn retire<E: From<Errors>>(
        &self,
        list: &List,
        allow: impl FnOnce(&[Entry]) -> Result<Vec<Request>, E>,
        finish: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |reason: Reason| Errors::from(Error::network(Doing::Retire, list, reason));
        let _held = self.locks.exclusive(list.name()).map_err(|error| failed(error.into()))?;
        let kept = self.cache.of_network(list.name()).map_err(|error| failed(error.into()))?;
        let unfinished = allow(&kept)?;
        let requests = kept.into_iter().map(request_for).chain(unfinished);
        let mut errors: Vec<Error> = requests.flat_map(|request| self.del_unlocked(list, &request)).collect();
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
