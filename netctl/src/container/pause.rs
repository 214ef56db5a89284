//! `netctl pause`, `netctl unpause`

use std::process::ExitCode;

use clap::Args;

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::report::Failure;

/// Hold all processes of containers
#[derive(Debug, Args)]
#[command(after_help = PAUSE)]
pub(crate) struct Pause {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    #[command(flatten)]
    place: Place,
}

const PAUSE: &str = "\
They keep their addresses and ports, and answer nobody until `netctl unpause`.

Examples:
  netctl pause b1

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

/// Let containers go on that were paused
#[derive(Debug, Args)]
#[command(after_help = UNPAUSE)]
pub(crate) struct Unpause {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    #[command(flatten)]
    place: Place,
}

const UNPAUSE: &str = "\
Examples:
  netctl unpause b1

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Pause {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        words::each(&self.place, output, &self.containers, |engine, container| {
            engine.pause(container).map_err(words::ask)
        })
    }
}

impl Unpause {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        words::each(&self.place, output, &self.containers, |engine, container| {
            engine.unpause(container).map_err(words::ask)
        })
    }
}
