//! DEL: last to first, going on after a failure.

use cni::{Success, Version};

use super::{Doing, Error, Errors, Reason, Request, Runtime};
use crate::list::Injected;
use crate::{CacheError, Entry, List, PluginConfig};

/// The first version whose DEL is given the result of the ADD.
const KNOWS_RESULT: Version = Version::V0_4_0;

impl Runtime {
    /// Takes an attachment away, whatever is left of it. What was kept of it goes last, and only when all
    /// the rest is gone: the next DEL shall know what this one knew.
    ///
    /// # Errors
    /// Everything that failed, after all of it was tried.
    pub fn del(&self, list: &List, request: &Request) -> Result<(), Errors> {
        let held = self.locks.shared(list.name());
        let mut errors = self.del_unlocked(list, request);
        if let Err(error) = held {
            errors.push(Error::attachment(Doing::Remove, list, request, error));
        }
        Errors::none_of(errors)
    }

    /// DEL for who holds the lock.
    pub(super) fn del_unlocked(&self, list: &List, request: &Request) -> Vec<Error> {
        let failed = |reason| Error::attachment(Doing::Remove, list, request, reason);
        let (kept, mut errors) = match self.kept_or_forgotten(list, request) {
            Ok(kept) => (kept, Vec::new()),
            Err(error) => (None, vec![failed(error.into())]),
        };
        let request = request.or_kept(kept.as_ref());
        let failures = self.del_plugins(list, &request, kept.as_ref().map(|kept| &kept.result));
        errors.extend(failures.into_iter().map(|(_, reason)| failed(reason)));
        if errors.is_empty()
            && let Err(error) = self.cache.remove(list.name(), &request.attachment)
        {
            errors.push(failed(error.into()));
        }
        errors
    }

    /// What is kept of the attachment. A torn file would fail every DEL to come: it goes at once.
    fn kept_or_forgotten(&self, list: &List, request: &Request) -> Result<Option<Entry>, CacheError> {
        match self.cache.find(list.name(), &request.attachment) {
            Err(CacheError::Torn { .. }) => {
                self.cache.remove(list.name(), &request.attachment).map(|()| None)
            }
            found => found,
        }
    }

    /// Calls DEL of every plugin; the failures, each with the place of its plugin in the list.
    pub(super) fn del_plugins(
        &self,
        list: &List,
        request: &Request,
        result: Option<&Success>,
    ) -> Vec<(usize, Reason)> {
        let result = result.filter(|_| list.version() >= KNOWS_RESULT);
        // A result that the version cannot express is one that DEL goes without.
        let previous = result.and_then(|result| result.to_value(list.version()).ok());
        let capability_args = Some(&request.capability_args);
        let injected = Injected { previous: previous.as_ref(), capability_args, ..Injected::default() };
        let del = |plugin: &PluginConfig| -> Result<(), Reason> {
            Ok(self.delegate(list, plugin, injected, Some(request))?.del()?)
        };
        let last_to_first = list.plugins().iter().enumerate().rev();
        last_to_first.filter_map(|(index, plugin)| del(plugin).err().map(|reason| (index, reason))).collect()
    }
}
