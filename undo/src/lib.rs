//! What was done can be undone, newest first.
//!
//! A verb that changes the host does so inside [`attempt`]. Each step that succeeded pushes its reverse;
//! when a later step fails, the reverses run from the newest to the oldest, and the caller gets the cause
//! together with whatever could not be put back.

use std::error::Error;
use std::fmt;

type Reverse<'a> = Box<dyn FnOnce() -> Result<(), Box<dyn Error>> + 'a>;

/// The reverses of the steps done so far.
#[derive(Default)]
pub struct Undo<'a> {
    steps: Vec<(String, Reverse<'a>)>,
}

impl<'a> Undo<'a> {
    /// Remembers how to take back the step that has just succeeded. `what` names it in the imperative
    /// (`remove link veth1a2b`).
    pub fn push<E>(&mut self, what: impl Into<String>, reverse: impl FnOnce() -> Result<(), E> + 'a)
    where
        E: Into<Box<dyn Error>> + 'a,
    {
        self.steps.push((what.into(), Box::new(move || reverse().map_err(Into::into))));
    }

    fn unwind(self) -> Vec<Leftover> {
        let newest_first = self.steps.into_iter().rev();
        newest_first
            .filter_map(|(what, reverse)| reverse().err().map(|source| Leftover { what, source }))
            .collect()
    }
}

/// A step that could not be put back.
#[derive(Debug)]
pub struct Leftover {
    /// What was tried, in the imperative.
    pub what: String,
    /// Why it failed.
    pub source: Box<dyn Error>,
}

/// A step failed; what was done before it was put back, but for what [`left`](Self::left) names.
#[derive(Debug)]
pub struct Failed<E> {
    /// The error of the step that failed.
    pub cause: E,
    /// What could not be put back, newest first; empty as a rule.
    pub left: Vec<Leftover>,
}

impl<E: fmt::Display> fmt::Display for Failed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        for Leftover { what, source } in &self.left {
            write!(f, " (and could not {what}: {source})")?;
        }
        Ok(())
    }
}

impl<E: Error> Error for Failed<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// Runs `steps`; all of them hold, or none does.
///
/// # Errors
/// The error of the step that failed, after the steps before it have been put back.
pub fn attempt<'a, T, E>(steps: impl FnOnce(&mut Undo<'a>) -> Result<T, E>) -> Result<T, Failed<E>> {
    let mut undo = Undo::default();
    steps(&mut undo).map_err(|cause| Failed { cause, left: undo.unwind() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Broken(&'static str);

    fn note(log: &RefCell<Vec<&'static str>>, step: &'static str) -> Result<(), Broken> {
        log.borrow_mut().push(step);
        Ok(())
    }

    #[test]
    fn success_undoes_nothing() {
        let log = RefCell::new(Vec::new());
        let done: Result<u8, Failed<Broken>> = attempt(|undo| {
            undo.push("a", || note(&log, "a"));
            Ok(7)
        });
        assert_eq!(done.unwrap(), 7);
        assert!(log.borrow().is_empty());
    }

    #[test]
    fn a_failed_step_undoes_the_earlier_ones_newest_first() {
        let log = RefCell::new(Vec::new());
        let failed = attempt::<(), _>(|undo| {
            undo.push("a", || note(&log, "a"));
            undo.push("b", || note(&log, "b"));
            Err(Broken("third step"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "third step");
        assert_eq!(*log.borrow(), ["b", "a"]);
    }

    #[test]
    fn what_cannot_be_put_back_is_named_and_does_not_stop_the_rest() {
        let log = RefCell::new(Vec::new());
        let failed = attempt::<(), _>(|undo| {
            undo.push("remove a", || note(&log, "a"));
            undo.push("remove b", || Err(Broken("busy")));
            Err(Broken("third step"))
        });
        let error = failed.unwrap_err();
        assert_eq!(error.to_string(), "third step (and could not remove b: busy)");
        assert_eq!(*log.borrow(), ["a"]);
    }
}
