//! The loop between a person's terminal, or pipes, and a container.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use super::detach::Watch;
use super::{Connection, Manner, Outcome};
use crate::message::{self, Answer, LARGEST, Request};

/// What is the container's, when signals are handed on.
const HANDED_ON: [Signal; 8] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGCONT,
    Signal::SIGALRM,
];

/// The size of the terminal that this process has: rows and columns.
#[must_use]
pub fn terminal_size() -> Option<(u16, u16)> {
    let of = |stream| tcgetwinsize(stream).ok().map(|size| (size.ws_row, size.ws_col));
    of(rustix::stdio::stdout()).or_else(|| of(rustix::stdio::stdin())).filter(|size| *size != (0, 0))
}

/// While it lives, this process's terminal hands every key on as it is typed.
pub(super) struct Raw(Option<Termios>);

impl Raw {
    /// It stays as it is.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    pub(super) fn set() -> io::Result<Self> {
        let stdin = rustix::stdio::stdin();
        if !isatty(stdin) {
            return Ok(Self(None));
        }
        let before = tcgetattr(stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin, OptionalActions::Now, &raw)?;
        Ok(Self(Some(before)))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Signals as packets: those that are handed on, and the change of the terminal's size.
pub(super) fn signals(manner: &Manner, is_terminal: bool) -> io::Result<SignalFd> {
    let mut wanted = SigSet::empty();
    if manner.hands_on_signals {
        HANDED_ON.into_iter().for_each(|signal| wanted.add(signal));
    }
    if is_terminal {
        wanted.add(Signal::SIGWINCH);
    }
    wanted.thread_block()?;
    Ok(SignalFd::with_flags(&wanted, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

impl Connection {
    /// Hands on what is typed and printed until the container ends, or the keys are typed that end this.
    ///
    /// # Errors
    /// What the kernel says of this process's own streams.
    pub fn relay(self, manner: Manner) -> io::Result<Outcome> {
        let signals = signals(&manner, self.is_terminal)?;
        let _raw = match self.is_terminal && self.interest.stdin {
            true => Raw::set()?,
            false => Raw::none(),
        };
        let keys = manner.detach.filter(|_| self.is_terminal && self.interest.stdin);
        let mut typing = self.interest.stdin.then(|| Typing { watch: keys.map(Watch::new) });
        loop {
            let (heard, typed, signalled) = wait(&self.socket, &signals, typing.is_some())?;
            if signalled {
                self.hand_on(&signals)?;
            }
            if heard && let Some(outcome) = self.hear()? {
                return Ok(outcome);
            }
            if let Some(keyboard) = typing.as_mut().filter(|_| typed) {
                match self.type_on(keyboard)? {
                    Typed::More => {}
                    Typed::End => typing = None,
                    Typed::Detach => return Ok(Outcome::Detached),
                }
            }
        }
    }

    /// What the monitor says next; the end, when that is it.
    fn hear(&self) -> io::Result<Option<Outcome>> {
        let Some(packet) = message::receive(self.socket.as_fd(), true)? else {
            return Ok(Some(Outcome::Lost));
        };
        match Answer::from_bytes(&packet) {
            Some(Answer::Output(printed)) => print(&mut io::stdout().lock(), &printed)?,
            Some(Answer::ErrorOutput(printed)) => print(&mut io::stderr().lock(), &printed)?,
            Some(Answer::Exited(code)) => return Ok(Some(Outcome::Exited(code))),
            _ => {}
        }
        Ok(None)
    }

    fn type_on(&self, keyboard: &mut Typing) -> io::Result<Typed> {
        let mut bytes = vec![0_u8; LARGEST];
        let length = match rustix::io::read(rustix::stdio::stdin(), bytes.as_mut_slice()) {
            Err(Errno::INTR | Errno::AGAIN) => return Ok(Typed::More),
            // A terminal that is gone types no more.
            Err(Errno::IO) => 0,
            read => read?,
        };
        if length == 0 {
            self.say(&Request::EndOfInput)?;
            return Ok(Typed::End);
        }
        bytes.truncate(length);
        let (bytes, is_over) = match &mut keyboard.watch {
            Some(watch) => watch.pass(&bytes),
            None => (bytes, false),
        };
        if !bytes.is_empty() {
            self.say(&Request::Input(bytes))?;
        }
        Ok(if is_over { Typed::Detach } else { Typed::More })
    }

    fn hand_on(&self, signals: &SignalFd) -> io::Result<()> {
        while let Ok(Some(signal)) = signals.read_signal() {
            let number = signal.ssi_signo.cast_signed();
            if number == Signal::SIGWINCH as i32 {
                if let Some((rows, columns)) = terminal_size() {
                    self.say(&Request::Size(rows, columns))?;
                }
            } else {
                self.say(&Request::Signal(number))?;
            }
        }
        Ok(())
    }

    fn say(&self, request: &Request) -> io::Result<()> {
        match message::send(self.socket.as_fd(), &request.to_bytes(), true) {
            // The container has ended; its exit code is still to be heard.
            Err(error)
                if error.kind() == ErrorKind::BrokenPipe || error.kind() == ErrorKind::ConnectionReset =>
            {
                Ok(())
            }
            sent => sent,
        }
    }
}

struct Typing {
    watch: Option<Watch>,
}

enum Typed {
    More,
    End,
    Detach,
}

/// Waits until something is heard, typed or signalled.
fn wait(socket: &OwnedFd, signals: &SignalFd, types: bool) -> io::Result<(bool, bool, bool)> {
    let stdin = rustix::stdio::stdin();
    let mut files =
        vec![PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
    if types {
        files.push(PollFd::from_borrowed_fd(stdin, PollFlags::IN));
    }
    match poll(&mut files, None) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok((false, false, false)),
        Err(error) => return Err(error.into()),
    }
    let happened = |at: usize| files.get(at).is_some_and(|file| !file.revents().is_empty());
    Ok((happened(0), happened(2), happened(1)))
}

/// To whoever reads it; if nobody does any more, the container goes on.
fn print(to: &mut dyn io::Write, printed: &[u8]) -> io::Result<()> {
    match to.write_all(printed).and_then(|()| to.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
