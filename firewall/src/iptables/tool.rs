//! The programs: `iptables-save` and `iptables-restore`, and their siblings for IPv6.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Version;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there.
    #[error("run {program}: it is not installed")]
    Missing {
        /// Its name.
        program: &'static str,
    },
    /// It does not start.
    #[error("run {program}")]
    Start {
        /// Its name.
        program: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
    /// It says yes, and has done nothing.
    #[error("run {program}: it did nothing, and says nothing of it")]
    Nothing {
        /// Its name.
        program: &'static str,
    },
    /// It says no.
    #[error("run {program}: {message}")]
    Refused {
        /// Its name.
        program: &'static str,
        /// Its own words.
        message: String,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "install the package iptables, or do not ask for iptables: nftables needs no program"
                    .to_owned(),
            ),
            Self::Start { .. } | Self::Nothing { .. } | Self::Refused { .. } => None,
        }
    }
}

/// The programs that tell a table and change it.
pub(super) fn programs(version: Version) -> [&'static str; 2] {
    match version {
        Version::V4 => ["iptables-save", "iptables-restore"],
        Version::V6 => ["ip6tables-save", "ip6tables-restore"],
    }
}

/// Looks for a program where one that is started by its name is looked for: in `PATH`.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether the programs are there that add and remove rules.
///
/// # Errors
/// [`Error::Missing`], with the first that is not.
pub fn require() -> Result<(), Error> {
    let mut programs = Version::BOTH.into_iter().flat_map(programs);
    match programs.find(|program| find_program(program).is_none()) {
        None => Ok(()),
        Some(program) => Err(Error::Missing { program }),
    }
}

/// A table as text.
pub(super) fn save(version: Version, table: &str) -> Result<String, Error> {
    let [program, _] = programs(version);
    run(program, &["-t", table], "")
}

/// Does all lines to a table or, on an error, none. What they do not mention stays.
pub(super) fn restore(version: Version, table: &str, lines: &[String]) -> Result<(), Error> {
    let script = format!("*{table}\n{}\nCOMMIT\n", lines.join("\n"));
    run(restore_program(version), &["--noflush", "-w"], &script).map(drop)
}

/// The program that changes tables.
pub(super) fn restore_program(version: Version) -> &'static str {
    let [_, program] = programs(version);
    program
}

/// What a program says of itself.
pub(super) fn version(program: &'static str) -> Result<String, Error> {
    run(program, &["--version"], "")
}

/// What a program wrote to standard output.
fn run(program: &'static str, arguments: &[&str], input: &str) -> Result<String, Error> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { program },
        _ => Error::Start { program, source },
    };
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read to the end says why, which is the better error.
        let _unread = stdin.write_all(input.as_bytes());
    }
    // One after the other: what these programs say beside their output has room in a pipe. (The standard library would
    // read both at once, and panics when it cannot.)
    let (output, words) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let status = child.wait().map_err(failed)?;
    let words = words.map_err(failed)?;
    if status.success() {
        return output.map_err(failed);
    }
    let message = match words.trim() {
        "" => status.to_string(),
        words => words.lines().collect::<Vec<_>>().join("; "),
    };
    Err(Error::Refused { program, message })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<String> {
    let mut bytes = Vec::new();
    pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
