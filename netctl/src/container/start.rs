//! `netctl start`

use std::process::ExitCode;

use clap::Args;
use runner::{DetachKeys, Interest, Manner, terminal_size};

use super::place::Place;
use super::{run, words};
use crate::output::Output;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Start containers that are there and do not run
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Start {
    /// The containers: names, or ids of which the first digits are enough
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Stay, show what it prints, and end with its exit code
    #[arg(short, long)]
    attach: bool,
    /// Let somebody type
    #[arg(short, long)]
    interactive: bool,
    /// Leave it running when these keys are typed at its terminal [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS", value_parser = in_full::<DetachKeys>)]
    detach_keys: Option<DetachKeys>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl start b1
  netctl start -ai b1

Exit codes:
  0  done; with -a or -i, that of the program
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("--attach and --interactive are for one container")]
struct One;

impl Start {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let environment = self.place.environment();
        if !self.attach && !self.interactive {
            return words::each(&self.place, output, &self.containers, |engine, container| {
                let started = engine.start(container, Interest::END, &environment).map_err(words::ask)?;
                started.notes.iter().for_each(report::note);
                Ok(())
            });
        }
        let [name] = self.containers.as_slice() else { return Err(Failure::from(One)) };
        let container = self.place.find(name)?;
        let tty = container.config().program.tty;
        let stdin = self.interactive && container.config().program.open_stdin;
        let interest = Interest { stdin, stdout: true, stderr: true, size: terminal_size().filter(|_| tty) };
        let started = self.place.engine().start(&container, interest, &environment).map_err(words::ask)?;
        started.notes.iter().for_each(report::note);
        let detach = Some(self.detach_keys.unwrap_or_default());
        run::relay(started, Manner { detach, hands_on_signals: true })
    }
}
