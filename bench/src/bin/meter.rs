//! Run a program, and then tell how much memory it took.
//!
//! The kernel counts for a process what its maker had resident when it was made, too: between `vfork` and
//! `exec` both share it. Therefore this program, which is smaller than what it measures, and not the bench.

use nix::sys::resource::{UsageWho, getrusage};
use std::io::{self, Write};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to be told when stderr is closed.
            let _unheard = writeln!(io::stderr(), "meter: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or(io::ErrorKind::InvalidInput)?;
    let status = Command::new(program).args(words).status()?;
    let (its, own) = (getrusage(UsageWho::RUSAGE_CHILDREN)?, getrusage(UsageWho::RUSAGE_SELF)?);
    let code = if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    writeln!(io::stdout(), "\nmeter: peak_kib={} own_kib={}", its.max_rss(), own.max_rss())?;
    Ok(code)
}
