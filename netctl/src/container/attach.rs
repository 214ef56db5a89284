//! `netctl attach`

use std::process::ExitCode;

use clap::Args;
use runner::{DetachKeys, Interest, Manner, terminal_size};

use super::place::Place;
use super::{run, words};
use crate::parse::in_full;
use crate::report::Failure;

/// See what a container prints, and type at it
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Attach {
    /// The container: its name, or the first digits of its id
    container: String,
    /// Only look
    #[arg(long)]
    no_stdin: bool,
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
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Several may be attached to one container: all see what it prints, and what any of them types. What it printed before is in
`netctl logs`.

Examples:
  netctl attach b1

Exit codes:
  that of the container, when it ends; 0 if the keys are typed
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

impl Attach {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let program = &container.config().program;
        let size = terminal_size().filter(|_| program.tty);
        let interest =
            Interest { stdin: program.open_stdin && !self.no_stdin, stdout: true, stderr: true, size };
        let connection = self.place.engine().attach(&container, interest).map_err(words::ask)?;
        let detach = Some(self.detach_keys.unwrap_or_default());
        run::follow(connection, Manner { detach, hands_on_signals: self.sig_proxy })
    }
}
