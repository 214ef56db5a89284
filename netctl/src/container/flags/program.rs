//! Flags about what runs in a container.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use launch::Signal;
use runner::Program;

use super::{Invalid, environment};

#[derive(Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Program")]
pub(super) struct Flags {
    /// Let somebody type: keep standard input open
    #[arg(short, long)]
    pub(super) interactive: bool,
    /// Give it a terminal
    #[arg(short, long)]
    pub(super) tty: bool,
    /// Set a variable: NAME=VALUE, or NAME for the value it has here
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Set the variables of a file, a line each
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    env_file: Vec<PathBuf>,
    /// Start in this folder of the container
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
    /// Run as NAME or UID, and GROUP or GID, of the container's accounts
    #[arg(short, long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Execute this instead of the image's entry point; empty for none
    #[arg(long, value_name = "PROGRAM")]
    entrypoint: Option<String>,
    /// Put a reaper of ours before it as the first process, which hands signals on
    #[arg(long)]
    init: bool,
    /// End it by this signal [default: the image's, or SIGTERM]
    #[arg(long, value_name = "SIGNAL")]
    stop_signal: Option<String>,
    /// Kill it when it has not ended by then, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS")]
    stop_timeout: Option<u32>,
}

impl Flags {
    /// What runs: by the image, and by the command line where that says something.
    pub(super) fn program(
        &self,
        image: Option<&images::Config>,
        words: Vec<String>,
        is_detached: bool,
    ) -> Result<Program, Invalid> {
        let nothing = images::Config::default();
        let image = image.unwrap_or(&nothing);
        let (entrypoint, cmd) = match (&self.entrypoint, words) {
            // Arguments of the image are for the image's program.
            (Some(entrypoint), words) => {
                (Some(entrypoint.clone()).filter(|word| !word.is_empty()).into_iter().collect(), words)
            }
            (None, words) if words.is_empty() => (image.entrypoint.clone(), image.cmd.clone()),
            (None, words) => (image.entrypoint.clone(), words),
        };
        if let Some(asked) = self.workdir.as_ref().filter(|asked| !asked.starts_with('/')) {
            return Err(Invalid::new("--workdir", asked.clone(), "expected an absolute path"));
        }
        let working_dir = self.workdir.clone().unwrap_or_else(|| image.working_dir.clone());
        let signal = self.stop_signal.as_ref().or(image.stop_signal.as_ref());
        let signal = signal.map(|text| {
            text.parse::<Signal>()
                .map_err(|error| Invalid::new("--stop-signal", text.clone(), error.to_string()))
        });
        Ok(Program {
            entrypoint,
            cmd,
            env: environment::merged(&image.env, &self.env_file, &self.env)?,
            working_dir,
            user: self.user.clone().unwrap_or_else(|| image.user.clone()),
            tty: self.tty,
            open_stdin: self.interactive,
            stdin_once: self.interactive && !is_detached,
            init: self.init,
            stop_signal: signal.transpose()?.map(Signal::number),
            stop_timeout: self.stop_timeout,
        })
    }
}
