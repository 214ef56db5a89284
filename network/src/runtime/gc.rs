//! GC: what belongs to no valid attachment goes.

use std::path::PathBuf;

use cni::{Valid, Verb};
use serde_json::{Value, json};

use super::{Doing, Error, Errors, Reason, Request, Runtime};
use crate::list::Injected;
use crate::{Entry, List, PluginConfig};

impl Runtime {
    /// Removes everything of a network that belongs to no attachment of `valid`: DEL for those that are
    /// kept in the cache, then the plugins' own GC where the version has one. A list that disables GC is
    /// left alone.
    ///
    /// # Errors
    /// Everything that failed, after all of it was tried.
    pub fn gc(&self, list: &List, valid: &Valid) -> Result<(), Errors> {
        if list.is_gc_disabled() {
            return Ok(());
        }
        let failed = |reason| Error::network(Doing::Collect, list, reason);
        // Without the lock GC might remove what an ADD is just making: here nothing is better than that.
        let _held = self.locks.exclusive(list.name()).map_err(|error| failed(error.into()))?;
        let mut errors = self.del_invalid(list, valid);
        if list.version() >= Verb::Gc.since() {
            errors.extend(self.gc_plugins(list, valid).into_iter().map(failed));
        }
        Errors::none_of(errors)
    }

    fn del_invalid(&self, list: &List, valid: &Valid) -> Vec<Error> {
        let kept = match self.cache.of_network(list.name()) {
            Ok(kept) => kept,
            Err(error) => return vec![Error::network(Doing::Collect, list, error)],
        };
        let invalid = kept.into_iter().filter(|entry| !valid.contains(&entry.attachment));
        invalid.flat_map(|entry| self.del_unlocked(list, &request_for(entry))).collect()
    }

    pub(super) fn gc_plugins(&self, list: &List, valid: &Valid) -> Vec<Reason> {
        let valid = written(valid);
        let injected = Injected { valid: Some(&valid), ..Injected::default() };
        let gc = |plugin: &PluginConfig| -> Result<(), Reason> {
            Ok(self.delegate(list, plugin, injected, None)?.gc()?)
        };
        list.plugins().iter().filter_map(|plugin| gc(plugin).err()).collect()
    }
}

/// The DEL that was never called.
pub(super) fn request_for(entry: Entry) -> Request {
    // A process id may be another container's by now, whose interface this DEL would take.
    let is_lasting = |netns: &PathBuf| !netns.starts_with("/proc");
    Request {
        attachment: entry.attachment,
        netns: entry.netns.filter(is_lasting),
        args: entry.args,
        capability_args: entry.capability_args,
    }
}

/// The list as plugins read it, in an order that does not depend on chance.
pub(super) fn written(valid: &Valid) -> Value {
    let mut attachments: Vec<_> = valid.iter().collect();
    attachments.sort();
    let attachments = attachments.into_iter();
    attachments
        .map(|valid| json!({"containerID": valid.container.as_str(), "ifname": valid.interface.as_str()}))
        .collect()
}
