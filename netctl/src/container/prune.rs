//! `netctl container prune`

use std::process::ExitCode;

use clap::Args;
use runner::Status;

use super::place::Place;
use super::rm;
use super::words::ask;
use crate::output::Output;
use crate::report::{self, Failure};

/// Remove the containers that do not run, and take down what killed monitors left
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Prune {
    /// As with Docker: nothing is asked here
    #[arg(short, long, hide = true)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints the ids of those that are gone.

Examples:
  netctl container prune

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Prune {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        engine.sweep()?;
        let (mut code, mut gone) = (ExitCode::SUCCESS, Vec::new());
        for container in engine.store.list()?.0 {
            let removed = engine.state(&container).map_err(ask).and_then(|state| match state.status {
                Status::Created | Status::Exited => rm::remove(&engine, &container, false).map(|()| true),
                _ => Ok(false),
            });
            match removed {
                Ok(true) => gone.push(container.id().to_string()),
                Ok(false) => {}
                Err(failure) => {
                    report::failure(&failure);
                    code = ExitCode::FAILURE;
                }
            }
        }
        match output.is_json() {
            true => output.json(&gone)?,
            false => gone.iter().try_for_each(|id| output.line(id))?,
        }
        Ok(code)
    }
}
