//! What the program reads and writes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Gid, Uid, fchown, fstat};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::ioctl_tiocsctty;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::{Winsize, tcsetwinsize};

use super::devices::open_multiplexer;
use crate::failure::{Outcome, Tried};

/// A terminal of the container.
pub(crate) struct Terminal {
    /// The program's end.
    pub(crate) slave: OwnedFd,
    /// The other.
    pub(crate) master: OwnedFd,
}

/// Makes a terminal in the container's own devpts; `size` is rows and columns.
pub(crate) fn open(size: Option<(u16, u16)>) -> Outcome<Terminal> {
    let master = open_multiplexer()?;
    unlockpt(&master).tried(|| "unlock the terminal")?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = ioctl_tiocgptpeer(&master, flags).tried(|| "open the terminal")?;
    if let Some((rows, columns)) = size {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).tried(|| "set the size of the terminal")?;
    }
    Ok(Terminal { slave, master })
}

/// The terminal is this session's, and its standard streams.
pub(crate) fn control(slave: &OwnedFd) -> Outcome {
    ioctl_tiocsctty(slave).tried(|| "take the terminal")?;
    use_files(slave.as_fd(), slave.as_fd(), slave.as_fd())
}

/// These become the standard streams.
pub(crate) fn use_files(stdin: BorrowedFd<'_>, stdout: BorrowedFd<'_>, stderr: BorrowedFd<'_>) -> Outcome {
    // Each might be where another belongs.
    let copy = |file: BorrowedFd<'_>| fcntl_dupfd_cloexec(file, 3).tried(|| "copy a standard stream");
    let (stdin, stdout, stderr) = (copy(stdin)?, copy(stdout)?, copy(stderr)?);
    dup2_stdin(&stdin).tried(|| "set standard input")?;
    dup2_stdout(&stdout).tried(|| "set standard output")?;
    dup2_stderr(&stderr).tried(|| "set standard error output")
}

/// Gives the standard streams to the user as whom the program runs: it could not open `/dev/stdout` else.
pub(crate) fn give_to(user: Uid) {
    if user.is_root() {
        return;
    }
    for stream in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
        let is_ours = fstat(stream).is_ok_and(|found| match FileType::from_raw_mode(found.st_mode) {
            FileType::Fifo => true,
            // Terminals, but not /dev/null, which is everybody's.
            FileType::CharacterDevice => rustix::termios::isatty(stream),
            _ => false,
        });
        if is_ours {
            // It is of use to some programs only, and not every file system has owners.
            let _ = fchown(stream, Some(user), None::<Gid>);
        }
    }
}
