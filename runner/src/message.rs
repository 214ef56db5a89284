//! What a monitor and those who are attached to it say to each other: one message a packet, the first byte its kind.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType,
    recvmsg, sendmsg, socketpair,
};

/// As much as one packet carries of what is printed or typed, in bytes.
pub(crate) const LARGEST: usize = 32 * 1024;

/// What somebody wants who is attached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    /// To type.
    pub stdin: bool,
    /// To see what is printed on standard output, or on the terminal.
    pub stdout: bool,
    /// To see what is printed on standard error.
    pub stderr: bool,
    /// The size of one's terminal: rows and columns.
    pub size: Option<(u16, u16)>,
}

impl Interest {
    /// In the end only.
    pub const END: Self = Self { stdin: false, stdout: false, stderr: false, size: None };
}

/// What is said to a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Attach(Interest),
    Input(Vec<u8>),
    EndOfInput,
    Size(u16, u16),
    Signal(i32),
    Pause,
    Unpause,
}

/// What a monitor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Output(Vec<u8>),
    ErrorOutput(Vec<u8>),
    /// What people had better know.
    Note(String),
    /// The program runs.
    Started,
    /// It could not be started: the exit code, what failed and because of what, and a way out.
    Failed {
        code: u8,
        words: Vec<String>,
        hint: Option<String>,
    },
    /// The container has ended, and everything of it is taken down.
    Exited(u8),
    /// What was asked for is done, or why not.
    Done(Option<String>),
}

impl Request {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Attach(Interest { stdin, stdout, stderr, size }) => {
                let (rows, columns) = size.unwrap_or_default();
                let bits = u8::from(*stdin) | u8::from(*stdout) << 1 | u8::from(*stderr) << 2;
                [&[b'A', bits][..], &rows.to_le_bytes(), &columns.to_le_bytes()].concat()
            }
            Self::Input(typed) => [&[b'i'][..], typed].concat(),
            Self::EndOfInput => vec![b'c'],
            Self::Size(rows, columns) => [&[b'w'][..], &rows.to_le_bytes(), &columns.to_le_bytes()].concat(),
            Self::Signal(number) => [&[b'k'][..], &number.to_le_bytes()].concat(),
            Self::Pause => vec![b'p'],
            Self::Unpause => vec![b'u'],
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let short = |at: usize| Some(u16::from_le_bytes(rest.get(at..at + 2)?.try_into().ok()?));
        Some(match kind {
            b'A' => {
                let bits = *rest.first()?;
                let size = Some((short(1)?, short(3)?)).filter(|size| *size != (0, 0));
                let has = |bit: u8| bits & bit != 0;
                Self::Attach(Interest { stdin: has(1), stdout: has(2), stderr: has(4), size })
            }
            b'i' => Self::Input(rest.to_vec()),
            b'c' => Self::EndOfInput,
            b'w' => Self::Size(short(0)?, short(2)?),
            b'k' => Self::Signal(i32::from_le_bytes(rest.get(..4)?.try_into().ok()?)),
            b'p' => Self::Pause,
            b'u' => Self::Unpause,
            _ => return None,
        })
    }
}

impl Answer {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Output(printed) => [&[b'o'][..], printed].concat(),
            Self::ErrorOutput(printed) => [&[b'e'][..], printed].concat(),
            Self::Note(text) => [&[b'n'][..], text.as_bytes()].concat(),
            Self::Started => vec![b's'],
            Self::Failed { code, words, hint } => {
                let text = serde_json::to_vec(&(words, hint)).unwrap_or_default();
                [&[b'f', *code][..], &text].concat()
            }
            Self::Exited(code) => vec![b'x', *code],
            Self::Done(None) => vec![b'y'],
            Self::Done(Some(text)) => [&[b'N'][..], text.as_bytes()].concat(),
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let text = || String::from_utf8_lossy(rest).into_owned();
        Some(match kind {
            b'o' => Self::Output(rest.to_vec()),
            b'e' => Self::ErrorOutput(rest.to_vec()),
            b'n' => Self::Note(text()),
            b's' => Self::Started,
            b'f' => {
                let (code, rest) = rest.split_first()?;
                let (words, hint) = serde_json::from_slice(rest).ok()?;
                Self::Failed { code: *code, words, hint }
            }
            b'x' => Self::Exited(*rest.first()?),
            b'y' => Self::Done(None),
            b'N' => Self::Done(Some(text())),
            _ => return None,
        })
    }
}

/// Both ends of a conversation.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one packet. `WouldBlock` if the other side does not keep up and `waits` is false.
pub(crate) fn send(socket: BorrowedFd<'_>, packet: &[u8], waits: bool) -> io::Result<()> {
    let flags = if waits { SendFlags::NOSIGNAL } else { SendFlags::NOSIGNAL | SendFlags::DONTWAIT };
    loop {
        match sendmsg(socket, &[IoSlice::new(packet)], &mut SendAncillaryBuffer::default(), flags) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// Receives one packet; nothing when the other side is gone. `WouldBlock` if there is none and `waits` is false.
pub(crate) fn receive(socket: BorrowedFd<'_>, waits: bool) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0_u8; LARGEST + 16];
    let flags = if waits { RecvFlags::CMSG_CLOEXEC } else { RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT };
    loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        match recvmsg(socket.as_fd(), &mut parts, &mut RecvAncillaryBuffer::default(), flags) {
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
            // Nobody sends an empty packet.
            Ok(received) if received.bytes == 0 => return Ok(None),
            Ok(received) => {
                bytes.truncate(received.bytes);
                return Ok(Some(bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        let interest = Interest { stdin: true, stdout: false, stderr: true, size: Some((24, 80)) };
        for request in [
            Request::Attach(interest),
            Request::Attach(Interest::END),
            Request::Input(b"ls\n".to_vec()),
            Request::EndOfInput,
            Request::Size(50, 132),
            Request::Signal(-9),
            Request::Pause,
            Request::Unpause,
        ] {
            assert_eq!(Request::from_bytes(&request.to_bytes()), Some(request));
        }
        let failed = Answer::Failed { code: 127, words: vec!["a".into(), "b".into()], hint: None };
        for answer in [
            Answer::Output(vec![0, 255]),
            Answer::ErrorOutput(Vec::new()),
            Answer::Note("é".to_owned()),
            Answer::Started,
            failed,
            Answer::Exited(7),
            Answer::Done(None),
            Answer::Done(Some("no".to_owned())),
        ] {
            assert_eq!(Answer::from_bytes(&answer.to_bytes()), Some(answer));
        }
    }

    #[test]
    fn noise_is_nothing() {
        for bytes in [b"".as_slice(), b"?", b"A", b"w\0", b"k\0\0\0", b"x", b"f", b"f\0{"] {
            assert_eq!(Request::from_bytes(bytes), None, "{bytes:?}");
            assert_eq!(Answer::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn packets_arrive_one_by_one_and_the_end_is_told() {
        let (one, other) = pair().expect("sockets");
        send(one.as_fd(), b"first", true).expect("sent");
        send(one.as_fd(), b"second", true).expect("sent");
        drop(one);
        let heard = || receive(other.as_fd(), true).expect("received");
        assert_eq!((heard(), heard(), heard()), (Some(b"first".to_vec()), Some(b"second".to_vec()), None));
    }
}
