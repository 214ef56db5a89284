//! The loop between a person's terminal and that of a program in a container, which is a child of this process.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};

use launch::Running;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{Winsize, tcsetwinsize};

use super::Manner;
use super::relay::{Raw, signals, terminal_size};
use crate::message::LARGEST;

/// Hands on what is typed and printed until the program has ended.
pub(crate) fn relay_terminal(terminal: &OwnedFd, running: &Running, types: bool) -> io::Result<()> {
    let signals = signals(&Manner::default(), true)?;
    let _raw = if types { Raw::set()? } else { Raw::none() };
    let mut is_typing = types;
    loop {
        let stdin = rustix::stdio::stdin();
        let mut files = vec![
            PollFd::new(terminal, PollFlags::IN),
            PollFd::from_borrowed_fd(running.descriptor(), PollFlags::IN),
            PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN),
        ];
        if is_typing {
            files.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
        }
        match poll(&mut files, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let happened = |at: usize| files.get(at).is_some_and(|file| !file.revents().is_empty());
        let (printed, ended, resized, typed) = (happened(0), happened(1), happened(2), happened(3));
        if resized {
            while let Ok(Some(_)) = signals.read_signal() {}
            if let Some((rows, columns)) = terminal_size() {
                let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                let _ = tcsetwinsize(terminal, size);
            }
        }
        // Everything that was printed is shown before the end is.
        if printed {
            if !show(terminal)? {
                return Ok(());
            }
        } else if ended {
            return Ok(());
        }
        if typed {
            is_typing = type_on(terminal)?;
        }
    }
}

/// Shows what was printed; false at its end.
fn show(terminal: &OwnedFd) -> io::Result<bool> {
    let mut bytes = vec![0_u8; LARGEST];
    match rustix::io::read(terminal, bytes.as_mut_slice()) {
        // Nobody has the terminal open any more.
        Ok(0) | Err(Errno::IO) => Ok(false),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
        Ok(length) => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(&bytes[..length]).and_then(|()| stdout.flush()).map(|()| true)
        }
    }
}

/// Hands on what was typed; false at its end.
fn type_on(terminal: &OwnedFd) -> io::Result<bool> {
    let mut bytes = vec![0_u8; LARGEST];
    let length = match rustix::io::read(rustix::stdio::stdin(), bytes.as_mut_slice()) {
        Err(Errno::INTR | Errno::AGAIN) => return Ok(true),
        Err(Errno::IO) => 0,
        read => read?,
    };
    let mut rest = &bytes[..length];
    while !rest.is_empty() {
        match rustix::io::write(terminal, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(Errno::IO) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(length > 0)
}
