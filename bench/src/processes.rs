//! How many processes a call has left behind.

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use std::fs;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A process that still runs so long after a call is one that stays.
const PATIENCE: Duration = Duration::from_secs(1);

/// Processes could not be counted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("list the processes of this host")]
    List(#[source] io::Error),
    #[error("reap the processes that a call has left behind")]
    Reap(#[source] Errno),
}

/// How many processes there are in this host, apart from dead ones that were given to us.
///
/// # Errors
/// [`Error`].
pub fn count() -> Result<usize, Error> {
    reap()?;
    let entries = fs::read_dir("/proc").map_err(Error::List)?;
    let is_process = |name: &std::ffi::OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let names = names.collect::<Result<Vec<_>, _>>().map_err(Error::List)?;
    Ok(names.iter().filter(|name| is_process(name)).count())
}

/// How many more than `before` there still are when those that are about to end have ended.
///
/// # Errors
/// [`Error`].
pub fn left_behind(before: usize) -> Result<usize, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = count()?.saturating_sub(before);
        if left == 0 || Instant::now() > deadline {
            return Ok(left);
        }
        sleep(Duration::from_millis(1));
    }
}

fn reap() -> Result<(), Error> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) | Ok(WaitStatus::StillAlive) => return Ok(()),
            Err(errno) => return Err(Error::Reap(errno)),
            Ok(_) => {}
        }
    }
}
