//! Forget: what is left of attachments whose container is gone goes, as by the DEL that nobody called.
//!
//! No verb of the specification, and no GC either: what is not in the cache stays.

use vocab::Attachment;

use super::{Doing, Error, Request, Runtime};
use crate::{Entry, List};

impl Runtime {
    /// Takes away what is left of those attachments to a network that are `dead`, and of those that are `unfinished`, of
    /// which nothing is kept. No other verb is under way meanwhile: a DEL beside an ADD of the same attachment would take
    /// what that has just made. Goes on after a failure, and returns everything that failed.
    ///
    /// Plugins are told of no namespace: if there is one of that name by now, it is another container's.
    #[must_use = "what is left of them is in somebody's way"]
    pub fn forget(
        &self,
        list: &List,
        dead: impl Fn(&Entry) -> bool,
        unfinished: &[Attachment],
    ) -> Vec<Error> {
        let _held = match self.locks.exclusive(list.name()) {
            Ok(held) => held,
            Err(error) => return vec![Error::network(Doing::Forget, list, error)],
        };
        let kept = match self.cache.of_network(list.name()) {
            Ok(kept) => kept,
            Err(error) => return vec![Error::network(Doing::Forget, list, error)],
        };
        let forget = |entry: Entry| {
            // The network may have changed since.
            let then = List::parse(entry.config).unwrap_or_else(|_| list.clone());
            self.del_unlocked(&then, &Request::new(entry.attachment, None))
        };
        let mut errors: Vec<Error> = kept.into_iter().filter(dead).flat_map(forget).collect();
        let finish =
            |attachment: &Attachment| self.del_unlocked(list, &Request::new(attachment.clone(), None));
        errors.extend(unfinished.iter().flat_map(finish));
        errors
    }
}
