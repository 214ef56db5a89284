//! A process that was started, until it ends.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use crate::Signal;
use crate::sys;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself: its exit code.
    Code(u8),
    /// By a signal: its number.
    Signal(i32),
}

impl Exit {
    /// What shells make of it: a signal counts as 128 and its number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A process that was started by this one.
#[derive(Debug)]
pub struct Running {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
}

impl Running {
    /// A process that somebody else started, and that is a child of this one by now: this one is the subreaper of its
    /// parent, which is gone.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn adopt(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
        Ok(Self { pid, pidfd: pidfd_open(pid, PidfdFlags::empty())? })
    }

    /// Its process id, as the host counts.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Readable for poll(2) as soon as it has ended.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Sends it a signal; none, if it has ended.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        match sys::kill_by_descriptor(self.pidfd.as_fd(), signal.number()) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            sent => sent,
        }
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(&self) -> io::Result<Exit> {
        wait(self.pidfd.as_fd())
    }
}

/// Waits until a child ends, and lets the kernel forget it.
pub(crate) fn wait(pidfd: BorrowedFd<'_>) -> io::Result<Exit> {
    let status = loop {
        match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(Some(status)) => break status,
            Ok(None) => return Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    };
    let code = status.exit_status().and_then(|code| u8::try_from(code & 0xff).ok());
    Ok(match (code, status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Signal(libc::SIGKILL),
    })
}
