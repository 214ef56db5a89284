//! What verbs of containers have in common: errors with the way out, and one container after the other.

use std::process::ExitCode;

use runner::{AskError, Container, Engine};

use super::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};

/// An error of the runner, with the way out and the exit code that it knows.
pub(crate) fn ask(error: AskError) -> Failure {
    let code = error.exit_code();
    Failure::with(error, AskError::hint).code(code)
}

/// Does one thing with each of the containers that are named, and prints their names; what fails with one is told, and the
/// others are done.
pub(super) fn each(
    place: &Place,
    output: &mut Output,
    names: &[String],
    mut act: impl FnMut(&Engine, &Container) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let engine = place.engine();
    let mut code = ExitCode::SUCCESS;
    for name in names {
        match place.find(name).and_then(|container| act(&engine, &container)) {
            Ok(()) => output.line(name)?,
            Err(failure) => {
                report::failure(&failure);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
