//! `netctl restart`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use runner::Interest;

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::report::{self, Failure};

/// Stop containers and start them again
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Restart {
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
What it wrote to its files stays. Addresses and ports that were not asked for by number may be others.

Examples:
  netctl restart b1

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Restart {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let grace = self.time.map(|seconds| Duration::from_secs(seconds.into()));
        let environment = self.place.environment();
        words::each(&self.place, output, &self.containers, |engine, container| {
            engine.stop(container, grace).map_err(words::ask)?;
            let started = engine.start(container, Interest::END, &environment).map_err(words::ask)?;
            started.notes.iter().for_each(report::note);
            Ok(())
        })
    }
}
