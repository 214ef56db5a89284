//! `netctl exec`

use std::io::{self, IsTerminal as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Args;
use runner::{ExecError, Execution};

use super::place::Place;
use crate::report::Failure;

/// Execute a further program in a container that runs
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Exec {
    /// Let it run by itself
    #[arg(short, long)]
    detach: bool,
    /// Let it read what this command reads
    #[arg(short, long)]
    interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    tty: bool,
    /// Set a variable: NAME=VALUE
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Start in this folder of the container [default: as its first program]
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Run as NAME or UID, and GROUP or GID, of the container's accounts [default: as its first program]
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Let it do what root may
    #[arg(long)]
    privileged: bool,
    #[command(flatten)]
    place: Place,
    /// The container: its name, or the first digits of its id
    container: String,
    /// The program and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

const HELP: &str = "\
It is in the namespaces and the control group of the container, and ends when that does.

Examples:
  netctl exec -it b1 sh
  netctl exec -u 1000 -e A=b b1 env

Exit codes:
  that of the program; 128 and the number of a signal if one ended it
  125  it could not be started, and it was not for the program
  126  the program cannot be executed
  127  there is no such program
  1    the container does not run, or is not there
  2    the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("give the program a terminal to type at: standard input is none")]
struct NoTerminal;

#[derive(Debug, thiserror::Error)]
#[error("execute this program anew, so that nothing in the container can write to its file")]
struct NotSealed(#[source] io::Error);

impl Exec {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if self.tty && self.interactive && !self.detach && !io::stdin().is_terminal() {
            let failure = Failure::from(NoTerminal).code(125);
            return Err(failure.hint("leave out -t: `netctl exec -i` reads what it is sent".to_owned()));
        }
        let container = self.place.find(&self.container)?;
        // Known before this program executes itself anew for it.
        let engine = self.place.engine();
        seal()?;
        let execution = Execution {
            args: self.command,
            env: self.env,
            working_dir: self.workdir,
            user: self.user,
            tty: self.tty,
            interactive: self.interactive,
            detach: self.detach,
            privileged: self.privileged,
        };
        let code = engine.exec(&container, &execution).map_err(|error| {
            let code = error.exit_code();
            Failure::with(error, ExecError::hint).code(code)
        })?;
        Ok(ExitCode::from(code))
    }
}

/// While it prepares, the process that becomes the program is this one, and the container sees its file (CVE-2019-5736):
/// it is executed by way of a mount that nobody can write to. Returns if it was already.
fn seal() -> Result<(), Failure> {
    let failed = |error| Failure::from(NotSealed(error)).code(125);
    if launch::is_sealed().map_err(failed)? {
        return Ok(());
    }
    let program = launch::sealed_program().map_err(failed)?;
    let words: Vec<_> = std::env::args_os().collect();
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command.arg0(words.first().cloned().unwrap_or_default()).args(words.iter().skip(1));
    Err(failed(command.exec()))
}
