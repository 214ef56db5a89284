//! `netctl netns exec`

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus};

use netns::view::{self, Unmounted};
use netns::{Directory, Name};

use super::names;
use crate::output::Output;
use crate::report::{self, Failure};

/// The exit code of everything that goes wrong before the command runs: hardly any command has it.
const NOT_STARTED: u8 = 255;

/// Run a command in a namespace, with its /sys and its files of /etc/netns/NAME over those of /etc
#[derive(Debug, clap::Args)]
#[command(override_usage = "netctl netns exec NAME COMMAND…\n       netctl netns exec --all COMMAND…", after_help = HELP)]
pub(crate) struct Exec {
    /// Run it in every namespace, one after the other
    #[arg(short, long)]
    all: bool,
    /// The namespace (not with --all), the command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME COMMAND")]
    words: Vec<OsString>,
}

const HELP: &str = "\
Examples:
  netctl netns exec blue ping -c1 10.0.0.1
  netctl netns exec -all ip -brief address

Exit codes:
  that of the command, or 128 and the number of the signal that killed it;
  255 when it could not be started; with --all the highest of all";

/// Why nothing is run.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("run a command in network namespace {name}: no command given")]
    NoCommand { name: String },
    #[error("run {command:?}")]
    Run { command: OsString, source: io::Error },
}

impl Exec {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<ExitCode, Failure> {
        if self.all {
            return in_all(directory, &self.words, output).map_err(|failure| failure.code(NOT_STARTED));
        }
        let (name, words) = split(&self.words).map_err(|failure| failure.code(2))?;
        let Err(failure) = become_command(directory, &name, words);
        Err(failure.code(NOT_STARTED))
    }
}

/// Tells the name from the command; `--` may stand between them.
fn split(words: &[OsString]) -> Result<(Name, &[OsString]), Failure> {
    let (name, words) = words.split_first().ok_or(Error::NoCommand { name: String::new() })?;
    let name = Name::new(name)?;
    match words {
        [dashes, words @ ..] if dashes == "--" && !words.is_empty() => Ok((name, words)),
        [] => Err(Error::NoCommand { name: name.to_string() }.into()),
        words => Ok((name, words)),
    }
}

/// Comes back only when it fails: the command takes this process over, so that it keeps its pid, its terminal
/// and its parent.
fn become_command(directory: &Directory, name: &Name, words: &[OsString]) -> Result<Infallible, Failure> {
    let netns = names::open(directory, name)?;
    report_unmounted(&view::enter(&netns, name)?);
    let source = command(words).exec();
    Err(failed_to_run(words, source))
}

/// Runs the command in one namespace after the other, come what may.
fn in_all(directory: &Directory, words: &[OsString], output: &mut Output) -> Result<ExitCode, Failure> {
    let mut highest = 0;
    for name in directory.names()? {
        output.line(format_args!("\nnetns: {name}"))?;
        // Before the command prints.
        output.finish()?;
        let code = run_child(directory, &name, words).unwrap_or_else(|failure| {
            report::failure(&failure);
            NOT_STARTED
        });
        highest = highest.max(code);
    }
    Ok(ExitCode::from(highest))
}

fn run_child(directory: &Directory, name: &Name, words: &[OsString]) -> Result<u8, Failure> {
    let netns = names::open(directory, name)?;
    let status = view::run(&netns, name, |unmounted| {
        report_unmounted(&unmounted);
        command(words).status()
    })?;
    status.map(code).map_err(|source| failed_to_run(words, source))
}

fn command(words: &[OsString]) -> Command {
    let (program, arguments) =
        words.split_first().map_or((OsStr::new(""), words), |(first, rest)| (first, rest));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// The exit code that shells give: 128 and the signal for whom a signal killed.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(NOT_STARTED)
}

fn failed_to_run(words: &[OsString], source: io::Error) -> Failure {
    let hint = match source.kind() {
        io::ErrorKind::NotFound => Some("there is no such program, or not its interpreter".to_owned()),
        io::ErrorKind::PermissionDenied => Some("it is no executable file".to_owned()),
        _ => None,
    };
    Failure::from(Error::Run { command: words.first().cloned().unwrap_or_default(), source }).hint(hint)
}

fn report_unmounted(files: &[Unmounted]) {
    for file in files {
        let hint = format!("create {} for it to be mounted over", file.target.display());
        let is_missing = file.source.kind() == io::ErrorKind::NotFound;
        report::warning(file, is_missing.then_some(hint.as_str()));
    }
}
