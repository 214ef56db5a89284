//! CHECK: in order, each plugin with the result of the whole ADD.

use cni::Verb;

use super::{Doing, Error, Errors, Reason, Request, Runtime};
use crate::List;
use crate::list::Injected;

impl Runtime {
    /// Finds out whether an attachment is still as ADD made it. A list that disables CHECK has nothing to find.
    ///
    /// # Errors
    /// The first plugin that finds a difference.
    pub fn check(&self, list: &List, request: &Request) -> Result<(), Errors> {
        let checked = self.try_check(list, request);
        checked.map_err(|reason| Error::attachment(Doing::Check, list, request, reason).into())
    }

    fn try_check(&self, list: &List, request: &Request) -> Result<(), Reason> {
        if list.version() < Verb::Check.since() {
            return Err(Reason::NoCheck { version: list.version() });
        }
        if list.is_check_disabled() {
            return Ok(());
        }
        if request.netns.is_none() {
            return Err(Reason::NoNetns);
        }
        let _held = self.locks.shared(list.name())?;
        let kept = self.cache.find(list.name(), &request.attachment)?.ok_or(Reason::NotAttached)?;
        let previous = kept.result.to_value(list.version())?;
        let request = request.or_kept(Some(&kept));
        let capability_args = Some(&request.capability_args);
        let injected = Injected { previous: Some(&previous), capability_args, ..Injected::default() };
        for plugin in list.plugins() {
            self.delegate(list, plugin, injected, Some(&request))?.check()?;
        }
        Ok(())
    }
}
