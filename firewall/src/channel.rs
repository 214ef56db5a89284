//! One netlink socket to nf_tables: questions, listings, transactions.
//!
//! Everything is answered before `send` returns, so nothing here ever waits for the kernel. What does wait
//! is closing the socket: the kernel then finishes what was deleted in this namespace, by whomever, and
//! that takes a grace period of some 10 ms.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL,
    NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{GenMessage, NfTablesMessage};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, setsockopt, sockopt::SndBufForce};

use crate::batch::{Batch, Change};
use crate::wire;

/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NFNL_SUBSYS_NFTABLES`: for whom a batch is.
const NFTABLES: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and its attribute `NFNL_BATCH_GENID`.
const BATCH_BEGIN: u8 = 16;
const BATCH_GENID: u16 = 1;
/// `NFTA_GEN_ID`.
const GEN_ID: u16 = 1;
/// `NLMSGERR_ATTR_MSG`: the kernel's own words.
const ERROR_TEXT: u16 = 1;
/// The kernel makes no message of a listing longer than this.
const LONGEST_ANSWER: usize = 32 * 1024;
/// Longer messages need more than a socket's usual send buffer (`net.core.wmem_default`).
const USUAL_SEND_BUFFER: usize = 128 * 1024;

/// Why nf_tables did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such socket.
    #[error("open a netfilter netlink socket")]
    Open {
        /// What the kernel says.
        source: io::Error,
    },
    /// The request did not get through.
    #[error("send a request to nf_tables")]
    Send {
        /// What the kernel says.
        source: io::Error,
    },
    /// The answer did not get through.
    #[error("receive the answer of nf_tables")]
    Receive {
        /// What the kernel says.
        source: io::Error,
    },
    /// It refused.
    #[error("nf_tables refused to {request}: {errno}{}", in_brackets(text))]
    Refused {
        /// What it was asked for (`add a rule`).
        request: &'static str,
        /// Why not.
        errno: Errno,
        /// The same in the kernel's own words, if it has any.
        text: Option<String>,
    },
}

fn in_brackets(text: &Option<String>) -> String {
    text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
}

impl Error {
    /// The kernel's number for the reason.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Open { source } | Self::Send { source } | Self::Receive { source } => {
                source.raw_os_error().map(Errno::from_raw)
            }
            Self::Refused { errno, .. } => Some(*errno),
        }
    }

    /// Whether somebody else changed the ruleset at the same moment, so that looking again helps: the
    /// generation moved on, a listing was torn, or an element's set or neighbour came or went.
    pub(crate) fn is_race(&self) -> bool {
        use Errno::{EAGAIN, EBUSY, EEXIST, EINTR, ENOENT, ERESTART};
        match self {
            Self::Refused { errno: ERESTART | EAGAIN | EBUSY | EINTR, .. } => true,
            Self::Refused { errno: ENOENT | EEXIST, request, .. } => request.ends_with("an element"),
            _ => false,
        }
    }
}

/// A question about one object.
pub(crate) type Question = (NetfilterProtoFamily, NfTablesMessage);

/// The socket.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: Socket,
    sequence: u32,
    received: Vec<u8>,
    has_deleted: bool,
}

/// An answer: to which message, of what type, and what it says.
struct Answer<'a> {
    sequence: u32,
    kind: u16,
    flags: u16,
    payload: &'a [u8],
}

impl Channel {
    /// Opens a socket in the calling thread's network namespace.
    pub(crate) fn open() -> Result<Self, Error> {
        let open = || {
            let socket = Socket::new(NETLINK_NETFILTER)?;
            socket.set_cap_ack(true)?;
            socket.set_ext_ack(true)?;
            Ok(socket)
        };
        let socket = open().map_err(|source| Error::Open { source })?;
        Ok(Self { socket, sequence: 0, received: Vec::with_capacity(LONGEST_ANSWER), has_deleted: false })
    }

    /// Whether a transaction on this socket deleted something.
    pub(crate) fn has_deleted(&self) -> bool {
        self.has_deleted
    }

    /// The socket itself, for whoever is to close it.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        // A duplicate, because only `unsafe` code could take the number out of the first; closing that one
        // is free while the other lives.
        self.socket.as_fd().try_clone_to_owned()
    }

    /// Asks for single objects; the answers' attributes come in the order of the questions. What does not
    /// exist is `None`.
    pub(crate) fn ask(&mut self, questions: Vec<Question>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let mut answers = vec![None; questions.len()];
        let mut open = questions.len();
        let first = self.sequence + 1;
        let mut request = Vec::with_capacity(questions.len() * 128);
        for (family, question) in questions {
            self.encode(&mut request, family, question, NLM_F_REQUEST, 0);
        }
        self.send(&request)?;
        while open > 0 {
            self.receive()?;
            for answer in answers_in(&self.received) {
                let position = answer.sequence.wrapping_sub(first) as usize;
                let Some(slot) = answers.get_mut(position) else { continue };
                open = open.saturating_sub(1);
                match answer.refusal("show an object") {
                    Some(Error::Refused { errno: Errno::ENOENT, .. }) => {}
                    Some(refusal) => return Err(refusal),
                    None => *slot = answer.payload.get(4..).map(<[u8]>::to_vec),
                }
            }
        }
        Ok(answers)
    }

    /// Lists all objects of a kind, one message's attributes after the other; nothing if there is no such
    /// set or chain.
    pub(crate) fn list(
        &mut self,
        family: NetfilterProtoFamily,
        what: NfTablesMessage,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut request = Vec::new();
        self.encode(&mut request, family, what, NLM_F_REQUEST | NLM_F_DUMP, 0);
        self.send(&request)?;
        let mut messages = Vec::new();
        loop {
            self.receive()?;
            for answer in answers_in(&self.received).filter(|answer| answer.sequence == self.sequence) {
                match answer.refusal("list objects") {
                    Some(Error::Refused { errno: Errno::ENOENT, .. }) => return Ok(messages),
                    Some(refusal) => return Err(refusal),
                    None if answer.kind == DONE => return Ok(messages),
                    None => messages.extend(answer.payload.get(4..).map(<[u8]>::to_vec)),
                }
            }
        }
    }

    /// The number that grows with every transaction in this namespace, by whomever.
    pub(crate) fn generation(&mut self) -> Result<u32, Error> {
        let question = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
        let answers = self.ask(vec![(NetfilterProtoFamily::Unspec, question)])?;
        let generation =
            answers.first().and_then(Option::as_ref).and_then(|answer| wire::attribute(answer, GEN_ID));
        generation.and_then(wire::number).ok_or_else(|| refused("tell its generation", Errno::ENOENT))
    }

    /// Does all changes of a batch or, on an error, none.
    pub(crate) fn commit(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.changes.is_empty() {
            return Ok(());
        }
        let deletes = batch.deletes();
        let begin = self.sequence + 1;
        let names: Vec<_> = batch.changes.iter().map(Change::request).collect();
        let request = self.encode_batch(batch);
        // The end has no answer of its own; the last change is asked for one.
        let last = begin + names.len() as u32;
        self.send(&request)?;
        loop {
            self.receive()?;
            for answer in answers_in(&self.received) {
                let position = answer.sequence.wrapping_sub(begin) as usize;
                if position > names.len() {
                    continue;
                }
                let name = position.checked_sub(1).map_or("begin a transaction", |change| names[change]);
                if let Some(refusal) = answer.refusal(name) {
                    return Err(refusal);
                }
                if answer.sequence == last {
                    self.has_deleted |= deletes;
                    return Ok(());
                }
            }
        }
    }

    fn encode_batch(&mut self, batch: Batch) -> Vec<u8> {
        let mut request = Vec::with_capacity(256 + batch.changes.len() * 256);
        let begin = match batch.generation {
            None => ControlMessage::BatchBegin,
            Some(generation) => ControlMessage::Other {
                message_type: BATCH_BEGIN,
                attributes: vec![DefaultNla::new(BATCH_GENID, generation.to_be_bytes().to_vec())],
            },
        };
        self.encode(&mut request, NetfilterProtoFamily::Unspec, begin, NLM_F_REQUEST, NFTABLES);
        let last = batch.changes.len() - 1;
        for (position, change) in batch.changes.into_iter().enumerate() {
            let answer = if position == last { NLM_F_ACK } else { 0 };
            let flags = NLM_F_REQUEST | answer | creation_flags(&change.message);
            self.encode(&mut request, change.family, change.message, flags, 0);
        }
        self.encode(
            &mut request,
            NetfilterProtoFamily::Unspec,
            ControlMessage::BatchEnd,
            NLM_F_REQUEST,
            NFTABLES,
        );
        request
    }

    fn encode(
        &mut self,
        request: &mut Vec<u8>,
        family: NetfilterProtoFamily,
        message: impl Into<NetfilterMessageInner>,
        flags: u16,
        resource: u16,
    ) {
        self.sequence += 1;
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let message = NetfilterMessage::new(NetfilterHeader::new(family, 0, resource), message);
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let start = request.len();
        request.resize(start + message.buffer_len(), 0);
        message.serialize(&mut request[start..]);
    }

    fn send(&self, request: &[u8]) -> Result<(), Error> {
        if request.len() > USUAL_SEND_BUFFER {
            setsockopt(&self.socket, SndBufForce, &(2 * request.len()))
                .map_err(|errno| Error::Send { source: errno.into() })?;
        }
        let sent = self.socket.send_to(request, &SocketAddr::new(0, 0), 0);
        sent.map(drop).map_err(|source| Error::Send { source })
    }

    /// Never blocks: what is not there when `send` has returned does not come any more.
    fn receive(&mut self) -> Result<(), Error> {
        self.received.clear();
        let received = self.socket.recv(&mut self.received, MsgFlags::MSG_DONTWAIT.bits());
        received.map(drop).map_err(|source| Error::Receive { source })
    }
}

impl Answer<'_> {
    /// Why the kernel refused, if that is what it says.
    fn refusal(&self, request: &'static str) -> Option<Error> {
        if self.flags & NLM_F_DUMP_INTR != 0 && self.kind != ERROR {
            return Some(refused(request, Errno::EINTR));
        }
        if self.kind != ERROR && self.kind != DONE {
            return None;
        }
        let code =
            self.payload.get(..4).and_then(|bytes| Some(i32::from_ne_bytes(bytes.try_into().ok()?)))?;
        if code == 0 {
            return None;
        }
        // Behind the code is the header of the request, without its body because of NETLINK_CAP_ACK.
        let attributes = self.payload.get(4 + 16..).unwrap_or_default();
        let text = wire::attribute(attributes, ERROR_TEXT).and_then(wire::text).map(str::to_owned);
        Some(Error::Refused { request, errno: Errno::from_raw(-code), text })
    }
}

fn refused(request: &'static str, errno: Errno) -> Error {
    Error::Refused { request, errno, text: None }
}

fn answers_in(mut bytes: &[u8]) -> impl Iterator<Item = Answer<'_>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(bytes).ok()?;
        let length = (message.length() as usize).next_multiple_of(4);
        bytes = bytes.get(length..).unwrap_or_default();
        Some(Answer {
            sequence: message.sequence_number(),
            kind: message.message_type(),
            flags: message.flags(),
            payload: message.payload(),
        })
    })
}

/// Elements that are there already are fine. A table must be new, or its rules would be there twice.
fn creation_flags(message: &NfTablesMessage) -> u16 {
    match message {
        NfTablesMessage::NewTable(_) => NLM_F_CREATE | NLM_F_EXCL,
        NfTablesMessage::NewRule(_) => NLM_F_CREATE | NLM_F_APPEND,
        NfTablesMessage::NewChain(_) | NfTablesMessage::NewSet(_) | NfTablesMessage::NewSetElement(_) => {
            NLM_F_CREATE
        }
        _ => 0,
    }
}
