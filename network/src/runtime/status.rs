//! STATUS: in order, until one is not ready.

use cni::Verb;

use super::{Doing, Error, Errors, Reason, Runtime};
use crate::List;
use crate::list::Injected;

impl Runtime {
    /// Finds out whether an ADD could be served. A version without STATUS is taken to be ready, as libcni does.
    ///
    /// # Errors
    /// The first plugin that is not ready.
    pub fn status(&self, list: &List) -> Result<(), Errors> {
        if list.version() < Verb::Status.since() {
            return Ok(());
        }
        let asked = self.ask(list);
        asked.map_err(|reason| Error::network(Doing::AskStatus, list, reason).into())
    }

    fn ask(&self, list: &List) -> Result<(), Reason> {
        for plugin in list.plugins() {
            self.delegate(list, plugin, Injected::default(), None)?.status()?;
        }
        Ok(())
    }
}
