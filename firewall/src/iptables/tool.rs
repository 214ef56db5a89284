//! The programs: `iptables-save` and `iptables-restore`, and their siblings for IPv6.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

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
            Self::Start { .. } | Self::Refused { .. } => None,
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
    let output = run(program, &["-t", table], "")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
    let output = run(program, &["--version"], "")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(program: &'static str, arguments: &[&str], input: &str) -> Result<Output, Error> {
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
    let output = child.wait_with_output().map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let message = match words.trim() {
        "" => output.status.to_string(),
        words => words.lines().collect::<Vec<_>>().join("; "),
    };
    Err(Error::Refused { program, message })
}
