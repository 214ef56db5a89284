//! Failures on their way to a person, or to a program as one error object.

use std::process::ExitCode;

use cni::{Attempts, Cause, Failure, Fault};
use network::Errors;

use crate::output::Output;
use crate::report;

/// Everything that failed, the cause first.
#[derive(Debug)]
pub(super) struct Trouble(Vec<Failure>);

impl<F: Fault> From<F> for Trouble {
    fn from(fault: F) -> Self {
        Self(vec![fault.into()])
    }
}

impl Trouble {
    /// Each of several errors on its own: a person reads them one by one.
    pub(super) fn each(errors: Errors) -> Self {
        Self(errors.into_iter().map(Failure::from).collect())
    }

    pub(super) fn tell(self, output: &mut Output) -> Result<ExitCode, report::Failure> {
        if output.is_json() {
            let mut attempts = Attempts::default();
            for failure in self.0 {
                attempts.note::<()>(Err(failure));
            }
            if let Err(failure) = attempts.finish() {
                output.json(&failure.object())?;
            }
        } else {
            self.0.into_iter().for_each(tell);
        }
        Ok(ExitCode::FAILURE)
    }
}

/// Tells a person of one failure.
pub(super) fn tell(failure: Failure) {
    let hint = failure.hint();
    report::failure(&report::Failure::from(Cause::from(failure)).hint(hint));
}
