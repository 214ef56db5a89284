//! `netctl stop`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::report::Failure;

/// Ask containers to end, and kill them if they do not
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Stop {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Kill it when it has not ended by then, in seconds [default: as it was made, or 10]
    #[arg(short, long, visible_alias = "timeout", value_name = "SECONDS")]
    time: Option<u32>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
A program without a handler for the signal does not get it when it is the container's first: `run --init` puts a reaper
before it, with which it ends at once.

Examples:
  netctl stop b1
  netctl stop -t 1 $(netctl ps -q)

Exit codes:
  0  done; those that do not run are fine
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Stop {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let grace = self.time.map(|seconds| Duration::from_secs(seconds.into()));
        words::each(&self.place, output, &self.containers, |engine, container| {
            engine.stop(container, grace).map_err(words::ask)
        })
    }
}
