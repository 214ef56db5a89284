//! What a container's program reads and writes, seen from outside.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use launch::Streams;
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::log::Stream;
use crate::message::LARGEST;
use crate::{Config, Interest};

/// Our ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Where what is typed goes; nothing when it is closed, or nobody can type. With a terminal, that.
    pub(super) stdin: Option<OwnedFd>,
    /// Where what is printed comes from; nothing when it has ended.
    pub(super) outputs: Vec<(Stream, OwnedFd)>,
    pub(super) is_terminal: bool,
    /// What was typed and has not been taken yet.
    pub(super) typed: VecDeque<Vec<u8>>,
    /// Whether standard input ends when all that was typed is taken.
    pub(super) ends: bool,
}

/// The program's ends and ours; a terminal is only made in the container.
pub(super) fn open(config: &Config, interest: Interest) -> io::Result<(Streams, Ends)> {
    let program = &config.program;
    if program.tty {
        return Ok((
            Streams::Terminal { size: interest.size },
            Ends { is_terminal: true, ..Ends::default() },
        ));
    }
    let mut ends = Ends::default();
    let stdin = if program.open_stdin {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        set_nonblocking(&writer)?;
        ends.stdin = Some(writer);
        reader
    } else {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        rustix::fs::open("/dev/null", flags, Mode::empty())?
    };
    let mut output = |stream| -> io::Result<OwnedFd> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        set_nonblocking(&reader)?;
        ends.outputs.push((stream, reader));
        Ok(writer)
    };
    let (stdout, stderr) = (output(Stream::Stdout)?, output(Stream::Stderr)?);
    Ok((Streams::Files { stdin, stdout, stderr }, ends))
}

pub(super) fn set_nonblocking(file: &OwnedFd) -> io::Result<()> {
    Ok(fcntl_setfl(file, fcntl_getfl(file)? | OFlags::NONBLOCK)?)
}

impl Ends {
    /// The container's terminal is there.
    pub(super) fn take_terminal(&mut self, master: OwnedFd) -> io::Result<()> {
        set_nonblocking(&master)?;
        self.stdin = Some(master.try_clone()?);
        self.outputs.push((Stream::Stdout, master));
        Ok(())
    }

    /// What has been printed since the last time on the output at `at`; nothing as yet, or the end.
    pub(super) fn read(&self, at: usize) -> Printed {
        let mut bytes = vec![0_u8; LARGEST];
        match rustix::io::read(&self.outputs[at].1, bytes.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => Printed::Nothing,
            // A terminal that nobody has open any more answers EIO.
            Ok(0) | Err(_) => Printed::End,
            Ok(length) => {
                bytes.truncate(length);
                Printed::Bytes(bytes)
            }
        }
    }

    /// Hands on what was typed, as far as it is taken.
    pub(super) fn write(&mut self) {
        let Some(stdin) = &self.stdin else { return self.typed.clear() };
        while let Some(typed) = self.typed.front_mut() {
            match rustix::io::write(stdin, typed) {
                Ok(length) if length == typed.len() => drop(self.typed.pop_front()),
                Ok(length) => drop(typed.drain(..length)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                // The program has closed its end: nobody will ever take it.
                Err(_) => {
                    self.typed.clear();
                    self.stdin = None;
                    return;
                }
            }
        }
        if self.ends {
            self.stdin = None;
        }
    }

    /// Nobody types any more.
    pub(super) fn end_input(&mut self) {
        // A terminal has no end that a program could be told of but the one it is typed.
        if !self.is_terminal {
            self.ends = true;
            self.write();
        }
    }

    pub(super) fn set_size(&self, rows: u16, columns: u16) {
        if let (true, Some(terminal)) = (self.is_terminal, &self.stdin) {
            let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
            let _ = tcsetwinsize(terminal.as_fd(), size);
        }
    }
}

/// What was read.
pub(super) enum Printed {
    Bytes(Vec<u8>),
    Nothing,
    End,
}
