//! ADD: in order, each plugin with the result of the one before; all of them or none.

use cni::{Delegate, Success};

use super::error::in_full;
use super::{Doing, Error, Errors, Reason, Request, Runtime};
use crate::list::Injected;
use crate::{CacheError, Entry, List, PluginConfig};

/// A chain that broke.
struct Broken {
    reason: Reason,
    /// How many plugins had succeeded.
    done: usize,
    /// The result of the last of them.
    result: Option<Success>,
}

impl Runtime {
    /// Attaches a container to a network, and keeps the result for DEL and CHECK.
    ///
    /// # Errors
    /// The cause; then, whatever could not be taken back of what was done before.
    pub fn add(&self, list: &List, request: &Request) -> Result<Success, Errors> {
        self.add_if(list, request, || Ok(()))
    }

    /// The same, if `is_there` finds that the network is still there once it cannot go any more: the call may have waited
    /// while it was [retired](Self::retire). [`Folder::confirm`](crate::Folder::confirm) finds out.
    ///
    /// # Errors
    /// As with [`add`](Self::add); that of `is_there`, before anything is touched.
    pub fn add_if(
        &self,
        list: &List,
        request: &Request,
        is_there: impl FnOnce() -> Result<(), Reason>,
    ) -> Result<Success, Errors> {
        let failed = |reason| Error::attachment(Doing::Add, list, request, reason);
        let _held = self.locks.shared(list.name()).map_err(|error| failed(error.into()))?;
        is_there().map_err(failed)?;
        let delegates = self.prepare(list, request).map_err(failed)?;
        self.run(list, request, &delegates).map_err(|broken| self.take_back(list, request, *broken))
    }

    /// Everything that can be known to be wrong before anything is touched; then the plugins, all found.
    fn prepare<'a>(
        &self,
        list: &'a List,
        request: &Request,
    ) -> Result<Vec<(&'a PluginConfig, Delegate)>, Reason> {
        if request.netns.is_none() {
            return Err(Reason::NoNetns);
        }
        match self.cache.find(list.name(), &request.attachment) {
            // The first plugin would find the interface there and fail, and taking back what it did not do
            // would take away the attachment that stands.
            Ok(Some(_)) => return Err(Reason::Attached),
            // Torn by a reboot, which no attachment outlives.
            Ok(None) | Err(CacheError::Torn { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let injected = Injected { capability_args: Some(&request.capability_args), ..Injected::default() };
        let find = |plugin| Ok((plugin, self.delegate(list, plugin, injected, Some(request))?));
        list.plugins().iter().map(find).collect()
    }

    fn run(
        &self,
        list: &List,
        request: &Request,
        delegates: &[(&PluginConfig, Delegate)],
    ) -> Result<Success, Box<Broken>> {
        let mut last = None;
        for (done, (plugin, delegate)) in delegates.iter().enumerate() {
            let result = match &last {
                None => delegate.add().map_err(Reason::from),
                Some(previous) => add_next(list, request, plugin, delegate, previous),
            };
            match result {
                Ok(result) => last = Some(result),
                Err(reason) => return Err(Box::new(Broken { reason, done, result: last })),
            }
        }
        let result = last.unwrap_or_default();
        match self.keep(list, request, &result) {
            Ok(()) => Ok(result),
            Err(reason) => Err(Box::new(Broken { reason, done: delegates.len(), result: Some(result) })),
        }
    }

    fn keep(&self, list: &List, request: &Request, result: &Success) -> Result<(), Reason> {
        // What cannot be said in the list's version cannot be answered either.
        result.to_value(list.version())?;
        let entry = Entry {
            network: list.name().clone(),
            attachment: request.attachment.clone(),
            netns: request.netns.clone(),
            config: list.bytes().to_vec(),
            args: request.args.clone(),
            capability_args: request.capability_args.clone(),
            result: result.clone(),
            version: list.version(),
        };
        Ok(self.cache.write(&entry)?)
    }

    /// Calls DEL for the whole chain, as the specification has it (section 4, "Lifecycle & Ordering").
    fn take_back(&self, list: &List, request: &Request, broken: Broken) -> Errors {
        let Broken { reason, done, result } = broken;
        let failed = |reason| Error::attachment(Doing::TakeBack, list, request, reason);
        let cause = in_full(&reason);
        let left = self.del_plugins(list, request, result.as_ref());
        // Plugins behind the one that failed were never called and have left nothing. Nor has that one when
        // it refuses DEL with the very words of its ADD: then it is the configuration that it refuses.
        let left = left
            .into_iter()
            .filter(|(index, reason)| *index < done || (*index == done && in_full(reason) != cause));
        let mut left: Vec<_> = left.map(|(_, reason)| failed(reason)).collect();
        if let Err(error) = self.cache.remove(list.name(), &request.attachment) {
            left.push(failed(error.into()));
        }
        Errors::new(Error::attachment(Doing::Add, list, request, reason), left)
    }
}

fn add_next(
    list: &List,
    request: &Request,
    plugin: &PluginConfig,
    delegate: &Delegate,
    previous: &Success,
) -> Result<Success, Reason> {
    let previous = previous.to_value(list.version())?;
    let capability_args = Some(&request.capability_args);
    let injected = Injected { previous: Some(&previous), capability_args, ..Injected::default() };
    Ok(delegate.with_config(plugin.config(list, injected)?).add()?)
}
