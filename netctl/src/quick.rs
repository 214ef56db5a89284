//! Commands of which a millisecond counts: parsed without the hundred others being built first.
//!
//! What is parsed, and what is said of it, is the same: it is the same command below the same root.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, Command, FromArgMatches};

use crate::container::{Exec, Run};
use crate::output::Output;
use crate::report::{self, Failure};

/// Runs the command, if it is one of those.
pub(crate) fn run(words: &[OsString]) -> Option<Result<ExitCode, Failure>> {
    let word = words.get(1)?.to_str()?;
    match word {
        "run" => {
            let command: Run = parse(words, "run");
            // Nothing is printed but an id.
            let mut output = Output::new(crate::output::Options::default());
            let result = command.run(&mut output);
            Some(result.and_then(|code| output.finish().map(|()| code).map_err(Failure::from)))
        }
        "exec" => Some(parse::<Exec>(words, "exec").run()),
        _ => None,
    }
}

fn parse<C: Args + FromArgMatches>(words: &[OsString], name: &'static str) -> C {
    let command = C::augment_args(Command::new(name));
    let mut root = Command::new("netctl").color(report::colours()).subcommand(command);
    let matches = root.clone().try_get_matches_from(words).unwrap_or_else(|error| error.exit());
    let found = matches.subcommand().map(|(_, matches)| C::from_arg_matches(matches));
    found
        .unwrap_or_else(|| Err(root.error(clap::error::ErrorKind::InvalidSubcommand, name)))
        .unwrap_or_else(|error| error.exit())
}
