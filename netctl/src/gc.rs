//! `netctl gc`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::container::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};

/// Take down what killed programs and a reboot have left of containers
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Gc {
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Every command that looks at a container does this for that one. Containers that were to be removed at their end are
removed. Prints the names of those it concerned. For containers of other runtimes: `netctl cni gc`.

Examples:
  netctl gc

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Gc {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let (finished, failed) = self.place.engine().sweep()?;
        match output.is_json() {
            true => output.json(&json!(finished))?,
            false => finished.iter().try_for_each(|name| output.line(name))?,
        }
        let code = if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        failed.into_iter().for_each(|error| report::failure(&crate::container::ask(error)));
        Ok(code)
    }
}
