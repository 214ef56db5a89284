//! `netctl netns identify` and `pids`: from a process to its namespace and back.

use std::fmt;

use netns::{Directory, Name, Netns, process};
use serde::Serialize;

use super::{add, names};
use crate::output::Output;
use crate::report::Failure;

/// Why a text is no process.
#[derive(Debug, thiserror::Error)]
#[error("expected the number of a process")]
pub(crate) struct InvalidPid;

/// Reads the number of a process from the command line.
pub(crate) fn pid(text: &str) -> Result<u32, InvalidPid> {
    text.parse().ok().filter(|pid| *pid > 0).ok_or(InvalidPid)
}

/// Print the names of the namespace that a process is in
#[derive(Debug, clap::Args)]
#[command(after_help = "Prints an empty line when it has no name, as `ip netns identify` does.")]
pub(crate) struct Identify {
    /// The process [default: this one]
    #[arg(value_parser = pid)]
    pid: Option<u32>,
}

/// Print the processes that are in a namespace
#[derive(Debug, clap::Args)]
pub(crate) struct Pids {
    /// The namespace
    #[arg(value_parser = names::parser())]
    name: Name,
}

#[derive(Serialize)]
struct NameRow {
    name: String,
}

impl fmt::Display for NameRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[derive(Serialize)]
struct PidRow {
    pid: u32,
}

impl fmt::Display for PidRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pid.fmt(f)
    }
}

impl Identify {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<(), Failure> {
        let netns = match self.pid {
            Some(pid) => add::open_process(pid)?,
            None => Netns::current()?,
        };
        let names = directory.names_of(netns.identity())?;
        let rows: Vec<NameRow> = names.iter().map(|name| NameRow { name: name.to_string() }).collect();
        if rows.is_empty() && !output.is_json() {
            return Ok(output.line("")?);
        }
        Ok(output.list(&rows)?)
    }
}

impl Pids {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<(), Failure> {
        let netns = names::open(directory, &self.name)?;
        let rows: Vec<PidRow> = process::pids(&netns)?.into_iter().map(|pid| PidRow { pid }).collect();
        Ok(output.list(&rows)?)
    }
}
