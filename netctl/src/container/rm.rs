//! `netctl container rm`

use std::process::ExitCode;

use clap::Args;
use runner::{Container, Engine, RemoveError};

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::report::Failure;

/// Remove containers, with what they wrote
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rm {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Kill those that run, and do not fail for those that are not there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
One in whose network another one lives that runs is not removed: remove that one first.

Examples:
  netctl container rm b1
  netctl container rm -f $(netctl ps -aq)

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Rm {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let store = self.place.store();
        let is_there = |name: &&String| !matches!(store.find(name), Err(error) if error.is_absence());
        let named = self.containers.iter();
        let names: Vec<String> = match self.force {
            true => named.filter(is_there).cloned().collect(),
            false => named.cloned().collect(),
        };
        words::each(&self.place, output, &names, |engine, container| remove(engine, container, self.force))
    }
}

/// Removes one.
pub(crate) fn remove(engine: &Engine, container: &Container, force: bool) -> Result<(), Failure> {
    engine.remove(container, force).map_err(|error| Failure::with(error, RemoveError::hint))
}
