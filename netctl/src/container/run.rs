//! `netctl run`

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use runner::{Container, DetachKeys, Engine, Interest, Manner, Outcome, Started, terminal_size};

use super::flags::Flags;
use super::place::Place;
use super::{create, words};
use crate::output::Output;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Run a program in a new container
#[derive(Debug, Args)]
#[command(after_help = HELP, disable_help_flag = true)]
pub(crate) struct Run {
    /// Let it run by itself, and print its id
    #[arg(short, long)]
    detach: bool,
    /// Hand signals that this process gets to the container; =false keeps them [default: true]
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        hide_default_value = true,
        action = clap::ArgAction::Set
    )]
    sig_proxy: bool,
    /// Leave it running when these keys are typed at its terminal [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS", value_parser = in_full::<DetachKeys>)]
    detach_keys: Option<DetachKeys>,
    /// Write its id to this file, which must not be there
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
The container is on the network `bridge` unless --network says otherwise. What a network mode cannot honour is refused,
or told of: nothing is dropped without a word.

Examples:
  netctl run --rm --network none --rootfs / ip -br link
  netctl run -it --rm busybox sh
  netctl run -d --name b1 --network mybr0:ip=172.26.0.9 -p 111:1232 busybox nc -l -p 1232 -e cat
  netctl run --rm --network container:b1 busybox nc 127.0.0.1 1232
  netctl run -d --name web -P -h www --dns 10.0.0.53 --add-host db:10.0.0.9 -m 64m --cpus 0.5 httpd

Exit codes:
  that of the program; 128 and the number of a signal if one ended it
  125  it could not be started, and it was not for the program
  126  the program cannot be executed
  127  there is no such program
  2    the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("give the container a terminal to type at: standard input is none")]
struct NoTerminal;

impl Run {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let (tty, interactive) = self.flags.terminal();
        if tty && interactive && !self.detach && !io::stdin().is_terminal() {
            let failure = Failure::from(NoTerminal).code(125);
            return Err(failure.hint("leave out -t: `netctl run -i` reads what it is sent".to_owned()));
        }
        let engine = self.place.engine();
        let container = create::create(&self.place, &engine, self.flags, self.detach)?;
        if let Some(file) = &self.cidfile {
            create::write_id(file, &container).inspect_err(|_| drop(engine.remove(&container, true)))?;
        }
        let interest = match self.detach {
            true => Interest::END,
            false => Interest {
                stdin: interactive,
                stdout: true,
                stderr: true,
                size: terminal_size().filter(|_| tty),
            },
        };
        let started = start(&self.place, &engine, &container, interest)?;
        if self.detach {
            output.line(container.id())?;
            return Ok(ExitCode::SUCCESS);
        }
        let detach = Some(self.detach_keys.unwrap_or_default());
        relay(started, Manner { detach, hands_on_signals: self.sig_proxy })
    }
}

/// Starts a container that was just made; one that is to be removed at its end is, if it does not start.
fn start(
    place: &Place,
    engine: &Engine,
    container: &Container,
    interest: Interest,
) -> Result<Started, Failure> {
    let started = engine.start(container, interest, &place.environment()).map_err(|error| {
        if container.config().auto_remove {
            let _ = engine.remove(container, true);
        }
        words::ask(error)
    })?;
    started.notes.iter().for_each(report::note);
    Ok(started)
}

/// Stays until the container ends, and ends as it did.
pub(super) fn relay(started: Started, manner: Manner) -> Result<ExitCode, Failure> {
    follow(started.connection, manner)
}

/// As [`relay`], for who came later.
pub(super) fn follow(connection: runner::Connection, manner: Manner) -> Result<ExitCode, Failure> {
    #[derive(Debug, thiserror::Error)]
    #[error("the container's monitor was killed, and the container with it")]
    struct Lost;
    let outcome = connection.relay(manner)?;
    let _ = io::stdout().flush();
    match outcome {
        Outcome::Exited(code) => Ok(ExitCode::from(code)),
        Outcome::Detached => Ok(ExitCode::SUCCESS),
        Outcome::Lost => Err(Failure::from(Lost).code(137)),
    }
}

/// For the file of an id.
pub(super) fn write_new(file: &PathBuf, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes())
}
