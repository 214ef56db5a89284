//! The numbers by which one namespace knows others (`RTM_NEWNSID`, `RTM_GETNSID`).

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::str::FromStr;

use netlink_packet_core::{
    DecodeError, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;

use crate::Netns;

/// "None yet" in answers, "choose one" in requests (`NETNSA_NSID_NOT_ASSIGNED`).
const NOT_ASSIGNED: i32 = -1;

/// At most as many numbers as fit into the kernel's smallest datagram of a list: 128 of 134.
const DATAGRAM: usize = 128;

/// The number of a namespace, as another one sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nsid(i32);

/// Why a text is no [`Nsid`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid namespace id {value:?}: expected a number from 0 to {}", i32::MAX)]
pub struct InvalidNsid {
    /// The text as it was given.
    pub value: String,
}

impl Nsid {
    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0.unsigned_abs()
    }

    /// What the kernel answered; negative means none.
    fn from_kernel(number: i32) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }
}

impl FromStr for Nsid {
    type Err = InvalidNsid;
    fn from_str(text: &str) -> Result<Self, InvalidNsid> {
        text.parse().ok().and_then(Self::from_kernel).ok_or_else(|| InvalidNsid { value: text.to_owned() })
    }
}

impl fmt::Display for Nsid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which number a namespace shall get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The lowest free one.
    Auto,
    /// This one.
    Exactly(Nsid),
}

/// A namespace as [`Ids::list`] finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the namespace that was asked about.
    pub nsid: Nsid,
    /// Its number in the namespace that asks, when that is another one and knows it.
    pub current: Option<Nsid>,
}

/// Why numbers cannot be asked for or given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no netlink socket.
    #[error("open a netlink socket")]
    Socket {
        /// What the kernel says.
        source: io::Error,
    },
    /// The namespace has a number, which never changes.
    #[error("give network namespace {} an id: it has id {nsid} already", path.display())]
    HasOne {
        /// The namespace.
        path: PathBuf,
        /// Its number.
        nsid: Nsid,
    },
    /// Another namespace has that number.
    #[error("give network namespace {} id {nsid}: another namespace has it", path.display())]
    Taken {
        /// The namespace.
        path: PathBuf,
        /// The number.
        nsid: Nsid,
    },
    /// No namespace has that number.
    #[error("find network namespace with id {nsid}: there is none")]
    Unknown {
        /// The number.
        nsid: Nsid,
    },
    /// The kernel refuses for another reason.
    #[error("{what}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
    /// The kernel's answer makes no sense to us.
    #[error("read the kernel's answer about namespace ids")]
    Answer {
        /// What is wrong with it.
        source: DecodeError,
    },
}

/// A netlink socket that knows the numbers as seen from the namespace it was opened in.
#[derive(Debug)]
pub struct Ids {
    socket: Socket,
}

impl Ids {
    /// Opens the socket in the calling thread's namespace.
    ///
    /// # Errors
    /// [`Error::Socket`].
    pub fn open() -> Result<Self, Error> {
        let prepare = || {
            let socket = Socket::new(NETLINK_ROUTE)?;
            socket.connect(&SocketAddr::new(0, 0))?;
            // Without it the kernel ignores which namespace a dump is about.
            socket.set_netlink_get_strict_chk(true)?;
            Ok(Self { socket })
        };
        prepare().map_err(|source| Error::Socket { source })
    }

    /// The number of `netns`, if it has one.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Answer`].
    pub fn find(&self, netns: &Netns) -> Result<Option<Nsid>, Error> {
        let answers = self.request(RouteNetlinkMessage::GetNsId, NLM_F_REQUEST, vec![fd(netns)]);
        let answers = answers.map_err(|failure| failure.of("find the id of a network namespace"))?;
        Ok(entries(&answers).first().map(|entry| entry.nsid))
    }

    /// Gives `netns` a number. It keeps it as long as it lives.
    ///
    /// # Errors
    /// [`Error::HasOne`], [`Error::Taken`], [`Error::Refused`], [`Error::Answer`].
    pub fn assign(&self, netns: &Netns, choice: Choice) -> Result<(), Error> {
        let number = match choice {
            Choice::Auto => NOT_ASSIGNED,
            Choice::Exactly(nsid) => nsid.0,
        };
        let attributes = vec![fd(netns), NsidAttribute::Id(number)];
        let Err(failure) = self.request(RouteNetlinkMessage::NewNsId, NLM_F_REQUEST | NLM_F_ACK, attributes)
        else {
            return Ok(());
        };
        // One errno for two causes.
        if failure.is(Errno::EEXIST) {
            let path = netns.path().to_owned();
            if let Some(nsid) = self.find(netns)? {
                return Err(Error::HasOne { path, nsid });
            }
            if let Choice::Exactly(nsid) = choice {
                return Err(Error::Taken { path, nsid });
            }
        }
        Err(failure.of("give a network namespace an id"))
    }

    /// All numbers that are known in this namespace, or in the one that has the number `target` here.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no `target`, [`Error::Refused`], [`Error::Answer`].
    pub fn list(&self, target: Option<Nsid>) -> Result<Vec<Entry>, Error> {
        let attributes = target.map(|nsid| NsidAttribute::TargetNsid(nsid.0)).into_iter().collect();
        let answers = self.request(RouteNetlinkMessage::GetNsId, NLM_F_REQUEST | NLM_F_DUMP, attributes);
        let answers = answers.map_err(|failure| match target {
            Some(nsid) if failure.is(Errno::EINVAL) => Error::Unknown { nsid },
            _ => failure.of("list namespace ids"),
        })?;
        let mut entries = entries(&answers);
        if target.is_none() && entries.len() >= DATAGRAM {
            self.list_rest(&mut entries)?;
        }
        Ok(entries)
    }

    /// Kernels since 6.10 end the list with its first datagram (134 numbers), however many there are. Most
    /// numbers are given by the kernel, which takes the lowest free one: so the next ones are asked for, one
    /// by one, until there are none for a while.
    fn list_rest(&self, entries: &mut Vec<Entry>) -> Result<(), Error> {
        let mut unknown = 0;
        let mut next = entries.iter().map(|entry| entry.nsid.0).max().and_then(|last| last.checked_add(1));
        while let Some(number) = next.filter(|_| unknown < DATAGRAM) {
            match self.entry(Nsid(number), None) {
                Ok(entry) => {
                    entries.push(entry);
                    unknown = 0;
                }
                Err(Error::Unknown { .. }) => unknown += 1,
                Err(error) => return Err(error),
            }
            next = number.checked_add(1);
        }
        Ok(())
    }

    /// The namespace that has the number `nsid` here: how it is known here, or, with `target`, how the
    /// namespace knows it that has the number `target` here.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is no such `nsid` or `target`, or when they do not know each other;
    /// [`Error::Refused`], [`Error::Answer`].
    pub fn entry(&self, nsid: Nsid, target: Option<Nsid>) -> Result<Entry, Error> {
        let mut attributes = vec![NsidAttribute::Id(nsid.0)];
        attributes.extend(target.map(|nsid| NsidAttribute::TargetNsid(nsid.0)));
        let answers = self.request(RouteNetlinkMessage::GetNsId, NLM_F_REQUEST, attributes);
        let answers = answers.map_err(|failure| match target {
            _ if failure.is(Errno::ENOENT) => Error::Unknown { nsid },
            Some(target) if failure.is(Errno::EINVAL) => Error::Unknown { nsid: target },
            _ => failure.of("find a namespace id"),
        })?;
        entries(&answers).first().copied().ok_or(Error::Unknown { nsid })
    }

    /// Sends one request and reads until the kernel has nothing more to say to it.
    fn request(
        &self,
        kind: fn(NsidMessage) -> RouteNetlinkMessage,
        flags: u16,
        attributes: Vec<NsidAttribute>,
    ) -> Result<Vec<Answer>, Failure> {
        let mut body = NsidMessage::default();
        body.attributes = attributes;
        let mut message = NetlinkMessage::from(kind(body));
        message.header.flags = flags;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;

        let mut answers = Vec::new();
        loop {
            let (bytes, _) = self.socket.recv_from_full()?;
            if read_answers(&bytes, &mut answers)? || flags & NLM_F_DUMP != NLM_F_DUMP {
                return Ok(answers);
            }
        }
    }
}

/// A namespace in an answer: its number, and the one it has in the namespace that asks.
type Answer = (i32, Option<i32>);

/// What can go wrong with any request.
enum Failure {
    Kernel(io::Error),
    Decode(DecodeError),
}

impl Failure {
    fn is(&self, errno: Errno) -> bool {
        matches!(self, Self::Kernel(error) if error.raw_os_error() == Some(errno as i32))
    }

    /// Says what was tried.
    fn of(self, what: &'static str) -> Error {
        match self {
            Self::Kernel(source) => Error::Refused { what, source },
            Self::Decode(source) => Error::Answer { source },
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Kernel(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

fn fd(netns: &Netns) -> NsidAttribute {
    NsidAttribute::Fd(netns.as_fd().as_raw_fd().unsigned_abs())
}

/// Adds what one datagram says to `answers`, and tells whether it was the last of a dump.
fn read_answers(mut bytes: &[u8], answers: &mut Vec<Answer>) -> Result<bool, Failure> {
    while !bytes.is_empty() {
        let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes)?;
        // Messages in a datagram begin at multiples of four (`NLMSG_ALIGN`).
        let length = (message.header.length as usize).next_multiple_of(4);
        bytes = bytes.get(length..).unwrap_or_default();
        match message.payload {
            NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewNsId(body)) => answers.push(answer(&body)),
            NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io().into()),
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(io::Error::from_raw_os_error(-done.code).into());
            }
            NetlinkPayload::Done(_) => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

fn answer(message: &NsidMessage) -> Answer {
    let mut answer = (NOT_ASSIGNED, None);
    for attribute in &message.attributes {
        match attribute {
            NsidAttribute::Id(number) => answer.0 = *number,
            NsidAttribute::CurrentNsid(number) => answer.1 = Some(*number),
            _ => {}
        }
    }
    answer
}

/// The namespaces in `answers` that have a number.
fn entries(answers: &[Answer]) -> Vec<Entry> {
    let entry = |(number, current): &Answer| {
        Some(Entry { nsid: Nsid::from_kernel(*number)?, current: current.and_then(Nsid::from_kernel) })
    };
    answers.iter().filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_number_that_is_not_negative() {
        assert_eq!("0".parse::<Nsid>().unwrap().number(), 0);
        assert_eq!("2147483647".parse::<Nsid>().unwrap().number(), i32::MAX.unsigned_abs());
        for text in ["", "-1", "x", "2147483648", "1 "] {
            assert!(text.parse::<Nsid>().unwrap_err().to_string().contains(&format!("{text:?}")));
        }
    }
}
