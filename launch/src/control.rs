//! Becoming a process on its own, that is led by way of what was its standard input.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, stdin};

use crate::sys;

/// Takes the socket that this process was given as standard input, and leaves whatever else it was given: other files,
/// the terminal, the folder it stood in, and signals that a terminal sends.
///
/// Only to be called when nothing has been opened yet.
///
/// # Errors
/// What the kernel says.
pub fn take_control() -> io::Result<OwnedFd> {
    sys::close_all_but_streams();
    let control = fcntl_dupfd_cloexec(stdin(), 3)?;
    let nothing = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&nothing)?;
    // Whoever started us may be the leader of a group already; then the session is ours as it is.
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o022));
    sys::ignore_terminal_signals();
    // It would be the number of the file that it was executed by.
    rustix::thread::set_name(c"netctl-monitor")?;
    Ok(control)
}
