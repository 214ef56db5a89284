//! Raise and lower: what a network has without containers.
//!
//! No verbs of the specification: the plugins that are ours make and take away what they have for it, in process; those
//! of others are passed over.

use cni::{Cause, Plugin, Reloaded, StatusCall};

use super::{Doing, Error, Errors, Reason, Runtime};
use crate::list::Injected;
use crate::{List, PluginConfig};

impl Runtime {
    /// Makes what a network has before its first container. As often as one likes.
    ///
    /// # Errors
    /// The plugin that failed; then, whatever could not be taken away again of what those before it had just made.
    pub fn raise(&self, list: &List) -> Result<Reloaded, Errors> {
        self.raise_if(list, || Ok(()))
    }

    /// The same, if `is_there` finds that the network is still there once it cannot go any more, as with
    /// [`add_if`](Self::add_if): what is made for a network that is gone is nobody's.
    ///
    /// # Errors
    /// As with [`raise`](Self::raise); that of `is_there`, before anything is touched.
    pub fn raise_if(
        &self,
        list: &List,
        is_there: impl FnOnce() -> Result<(), Reason>,
    ) -> Result<Reloaded, Errors> {
        let failed = |reason| Error::network(Doing::Raise, list, reason);
        let _held = self.locks.shared(list.name()).map_err(|error| failed(error.into()))?;
        is_there().map_err(failed)?;
        let mut outcome = Reloaded::AsItWas;
        let mut raised = Vec::new();
        for plugin in list.plugins() {
            match self.raise_plugin(list, plugin) {
                Ok(Reloaded::AsItWas) => {}
                Ok(Reloaded::PutBack) => {
                    outcome = Reloaded::PutBack;
                    raised.push(plugin);
                }
                Err(reason) => return Err(Errors::new(failed(reason), self.lower_plugins(list, raised))),
            }
        }
        Ok(outcome)
    }

    /// Takes away what [`raise`](Self::raise) made. No container may be on the network.
    ///
    /// # Errors
    /// Everything that failed, after all of it was tried.
    pub fn lower(&self, list: &List) -> Result<(), Errors> {
        let failed = |reason: Reason| Error::network(Doing::Lower, list, reason);
        let _held = self.locks.exclusive(list.name()).map_err(|error| failed(error.into()))?;
        Errors::none_of(self.lower_plugins(list, list.plugins()))
    }

    fn raise_plugin(&self, list: &List, plugin: &PluginConfig) -> Result<Reloaded, Reason> {
        match self.own(list, plugin)? {
            Some((own, call)) => Ok(own.raise(&call).map_err(Cause::from)?),
            None => Ok(Reloaded::AsItWas),
        }
    }

    /// Lowers `plugins` from the last to the first, for who holds the lock.
    pub(super) fn lower_plugins<'a>(
        &self,
        list: &List,
        plugins: impl IntoIterator<Item = &'a PluginConfig, IntoIter: DoubleEndedIterator>,
    ) -> Vec<Error> {
        let lower = |plugin| -> Result<(), Reason> {
            let Some((own, call)) = self.own(list, plugin)? else { return Ok(()) };
            Ok(own.lower(&call).map_err(Cause::from)?)
        };
        let last_to_first = plugins.into_iter().rev();
        last_to_first
            .filter_map(|plugin| lower(plugin).err())
            .map(|reason| Error::network(Doing::Lower, list, reason))
            .collect()
    }

    /// The plugin with its call, if it is ours.
    fn own(
        &self,
        list: &List,
        plugin: &PluginConfig,
    ) -> Result<Option<(&'static dyn Plugin, StatusCall)>, Reason> {
        let Some(own) = self.registry.find(plugin.kind()) else { return Ok(None) };
        let call = self.call(list, plugin, Injected::default(), None)?;
        Ok(Some((own, StatusCall { call })))
    }
}
