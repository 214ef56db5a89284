//! `netctl kill`

use std::process::ExitCode;

use clap::Args;
use launch::Signal;

use super::place::Place;
use super::words;
use crate::output::Output;
use crate::parse::in_full;
use crate::report::Failure;

/// Send a signal to containers' first processes
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Kill {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Which: its name, with or without SIG, or its number
    #[arg(short, long, value_name = "SIGNAL", default_value = "KILL", value_parser = in_full::<Signal>)]
    signal: Signal,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl kill b1
  netctl kill -s HUP web

Exit codes:
  0  sent
  1  one of them does not run, or is not there; the reason is on standard error
  2  the command line cannot be understood";

impl Kill {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        words::each(&self.place, output, &self.containers, |engine, container| {
            engine.kill(container, self.signal).map_err(words::ask)?;
            // Whoever asks next is to find it ended.
            if self.signal == Signal::KILL {
                engine.wait(container).map_err(words::ask)?;
            }
            Ok(())
        })
    }
}
