//! The system D-Bus, as far as it takes to call a method and read the answer.
//!
//! The wire format is our own work, which is the exception in this house: little of it is needed for calls whose arguments are
//! strings. Every plugin is in one executable that starts for each container, and what other clients bring along
//! (docs/dependencies.md) would be paid for by those who never meet firewalld.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::sockopt::SendTimeout;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket};
use nix::sys::time::TimeVal;
use nix::unistd::geteuid;

use crate::Address;
pub use crate::wire::Call;
use crate::wire::{self, FIXED, Message, Reply};

/// The bus itself, as one of its own services.
pub(crate) const DBUS: Call<'static> = Call {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member: "",
    arguments: &[],
};

/// Longer than any line of a bus that agrees to talk.
const LONGEST_LINE: usize = 1024;

/// Why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bus cannot be reached.
    #[error("connect to the bus at {address}")]
    Connect {
        /// Where it should be.
        address: Address,
        /// What the kernel says.
        source: io::Error,
    },
    /// The bus does not want to talk to us.
    #[error("the bus refused to talk to user {user}: {answer:?}")]
    Unwelcome {
        /// As whom we came.
        user: u32,
        /// What it said.
        answer: String,
    },
    /// There was no answer in time.
    #[error("no answer within {} ms", within.as_millis())]
    Late {
        /// How long it was waited for.
        within: Duration,
    },
    /// An argument has a zero byte in it, and a bus ends the connection over that.
    #[error("a text with a zero byte cannot be sent")]
    ZeroByte,
    /// A message did not get through.
    #[error("talk to the bus")]
    Exchange {
        /// What the kernel says.
        source: io::Error,
    },
    /// The bus has ended the connection.
    #[error("the bus ended the connection")]
    Closed,
    /// The answer is not what the protocol promises.
    #[error("the answer cannot be understood")]
    Malformed,
    /// Somebody said no: the bus, or whom we called.
    #[error("{text} ({name})")]
    Refused {
        /// The name of the error.
        name: String,
        /// Its words.
        text: String,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
                Some("run as root")
            }
            Self::Unwelcome { .. } => Some("run as root"),
            Self::Refused { name, .. } if name == "org.freedesktop.DBus.Error.AccessDenied" => {
                Some("run as root: the bus lets nobody else change the firewall")
            }
            Self::Late { .. } => Some("`busctl status` and `firewall-cmd --state` tell who of both hangs"),
            _ => None,
        }
    }
}

/// A connection to a bus that knows us.
#[derive(Debug)]
pub struct Bus {
    stream: UnixStream,
    patience: Duration,
    serial: u32,
    /// What was read beyond the last message.
    ahead: Vec<u8>,
}

impl Bus {
    /// Opens a connection, and introduces us; nothing, if there is no bus. `patience` is for each answer.
    ///
    /// # Errors
    /// [`Error`], when there is something that does not answer like a bus.
    pub fn open(address: &Address, patience: Duration) -> Result<Option<Self>, Error> {
        let stream = match connect_within(address, patience) {
            // What is left of a bus that has ended refuses.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ECONNREFUSED) => return Ok(None),
            Err(Errno::EAGAIN | Errno::EINPROGRESS) => return Err(Error::Late { within: patience }),
            Err(errno) => return Err(Error::Connect { address: address.clone(), source: errno.into() }),
            Ok(descriptor) => UnixStream::from(descriptor),
        };
        let mut bus = Self { stream, patience, serial: 0, ahead: Vec::new() };
        bus.authenticate()?;
        // The bus listens to nobody who has not said that.
        bus.call(&Call { member: "Hello", ..DBUS })?;
        Ok(Some(bus))
    }

    /// Proves by the socket who we are ("Authentication Mechanisms": EXTERNAL).
    fn authenticate(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.patience;
        let user = geteuid().as_raw();
        let identity: String = user.to_string().bytes().map(|digit| format!("{digit:02x}")).collect();
        self.send(format!("\0AUTH EXTERNAL {identity}\r\n").as_bytes(), deadline)?;
        let answer = self.line(deadline)?;
        if !answer.starts_with("OK ") {
            return Err(Error::Unwelcome { user, answer });
        }
        self.send(b"BEGIN\r\n", deadline)
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// [`Error`].
    pub fn call(&mut self, call: &Call<'_>) -> Result<Reply, Error> {
        if call.arguments.iter().any(|argument| argument.contains('\0')) {
            return Err(Error::ZeroByte);
        }
        let deadline = Instant::now() + self.patience;
        self.serial += 1;
        self.send(&call.encode(self.serial), deadline)?;
        loop {
            let message = self.message(deadline)?;
            // Signals come unasked, and so does the answer to a call that was given up.
            if message.reply_to != Some(self.serial) {
                continue;
            }
            return match message.error {
                None => Ok(message.reply),
                Some(name) => {
                    let text = message.reply.text().unwrap_or_default();
                    Err(Error::Refused { name, text: text.trim_end().to_owned() })
                }
            };
        }
    }

    fn message(&mut self, deadline: Instant) -> Result<Message, Error> {
        loop {
            if let Some(head) = self.ahead.first_chunk::<FIXED>() {
                let length = wire::length(head).ok_or(Error::Malformed)?;
                if self.ahead.len() >= length {
                    let rest = self.ahead.split_off(length);
                    let message = std::mem::replace(&mut self.ahead, rest);
                    return Message::read(&message).ok_or(Error::Malformed);
                }
            }
            self.read_on(deadline)?;
        }
    }

    fn line(&mut self, deadline: Instant) -> Result<String, Error> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let rest = self.ahead.split_off(end + 2);
                let line = std::mem::replace(&mut self.ahead, rest);
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.ahead.len() > LONGEST_LINE {
                return Err(Error::Malformed);
            }
            self.read_on(deadline)?;
        }
    }

    fn read_on(&mut self, deadline: Instant) -> Result<(), Error> {
        let mut buffer = [0; 4096];
        let left = self.left(deadline)?;
        let count = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
        match count {
            Ok(0) => Err(Error::Closed),
            Ok(count) => {
                self.ahead.extend(buffer.iter().take(count));
                Ok(())
            }
            Err(source) => self.failed(source),
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Error> {
        while !bytes.is_empty() {
            let left = self.left(deadline)?;
            match self.stream.set_write_timeout(Some(left)).and_then(|()| self.stream.write(bytes)) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(source) => self.failed(source)?,
            }
        }
        Ok(())
    }

    fn left(&self, deadline: Instant) -> Result<Duration, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Error::Late { within: self.patience }) } else { Ok(left) }
    }

    /// What a failure means; an interruption means nothing, and neither does a time-out: the deadline decides.
    fn failed(&self, source: io::Error) -> Result<(), Error> {
        match source.kind() {
            ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(()),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Err(Error::Closed),
            _ => Err(Error::Exchange { source }),
        }
    }
}

/// Connects, but does not wait for ever in the queue of a bus that accepts nobody: the kernel takes the time-out for
/// sending as that for connecting, which the standard library cannot set beforehand.
fn connect_within(address: &Address, patience: Duration) -> Result<OwnedFd, Errno> {
    let address = match address {
        Address::Path(path) => UnixAddr::new(path)?,
        Address::Abstract(name) => UnixAddr::new_abstract(name)?,
    };
    let descriptor = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let micros = i64::try_from(patience.as_micros()).unwrap_or(i64::MAX);
    setsockopt(
        &descriptor,
        SendTimeout,
        &TimeVal::from(nix::libc::timeval { tv_sec: micros / 1_000_000, tv_usec: micros % 1_000_000 }),
    )?;
    loop {
        match connect(descriptor.as_raw_fd(), &address) {
            Err(Errno::EINTR) => {}
            done => return done.map(|()| descriptor),
        }
    }
}

#[cfg(test)]
mod tests;
