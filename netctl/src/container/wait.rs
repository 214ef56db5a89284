//! `netctl wait`

use std::process::ExitCode;

use clap::Args;

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::report::{self, Failure};

/// Wait until containers end, and print their exit codes
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Wait {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
One that does not run has ended: its last exit code is printed, and 0 for one that was never started.

Examples:
  netctl wait b1

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Wait {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        let mut code = ExitCode::SUCCESS;
        for name in &self.containers {
            let waited =
                self.place.find(name).and_then(|container| engine.wait(&container).map_err(words::ask));
            match waited {
                Ok(ended) => output.line(ended.unwrap_or_default())?,
                Err(failure) => {
                    report::failure(&failure);
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}
