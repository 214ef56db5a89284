//! One netlink socket to nf_tables: questions, listings, transactions.
//!
//! Everything is answered before `send` returns, so nothing here ever waits for the kernel. What does wait
//! is closing the socket: the kernel then finishes what was deleted in this namespace, by whomever, and
//! that takes a grace period of some 10 ms.

mod answer;
pub(crate) mod conntrack;
mod error;
mod pending;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{GenMessage, NfTablesMessage, RuleAttribute};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, setsockopt, sockopt::SndBufForce};

pub use error::{Error, Request};

use answer::Answer;

use crate::batch::{Batch, Change};
use crate::wire;

/// `NFNL_SUBSYS_NFTABLES`: for whom a batch is.
const NFTABLES: u16 = 10;
/// `NFNL_MSG_BATCH_BEGIN` and its attribute `NFNL_BATCH_GENID`.
const BATCH_BEGIN: u8 = 16;
const BATCH_GENID: u16 = 1;
/// `NFTA_GEN_ID`.
const GEN_ID: u16 = 1;
/// The kernel makes no message of a listing longer than this.
const LONGEST_ANSWER: usize = 32 * 1024;
/// All answers to what is sent at once wait in the socket's receive buffer, which takes two hundred at least
/// (`net.core.rmem_default`, some 1 KiB each as the kernel counts).
const QUESTIONS_AT_ONCE: usize = 64;
/// Longer messages need more than a socket's usual send buffer (`net.core.wmem_default`).
const USUAL_SEND_BUFFER: usize = 128 * 1024;

/// A question about one object.
pub(crate) type Question = (NetfilterProtoFamily, NfTablesMessage);

/// The attributes of each object that was asked about; nothing for one that does not exist.
pub(crate) type Answers = Vec<Option<Vec<u8>>>;

/// The socket.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: Socket,
    sequence: u32,
    received: Vec<u8>,
    has_deleted: bool,
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

    /// Whether closing this socket waits: a transaction on it deleted something, or one of this thread's did a moment
    /// ago. (The kernel waits for whatever is pending in the network namespace.)
    pub(crate) fn has_deleted(&self) -> bool {
        self.has_deleted || pending::is_likely()
    }

    /// The socket itself, for whoever is to close it.
    pub(crate) fn into_fd(self) -> io::Result<OwnedFd> {
        // A duplicate, because only `unsafe` code could take the number out of the first; closing that one
        // is free while the other lives.
        self.socket.as_fd().try_clone_to_owned()
    }

    /// Asks for single objects; the answers' attributes come in the order of the questions. What does not
    /// exist is `None`.
    pub(crate) fn ask(&mut self, questions: Vec<Question>) -> Result<Answers, Error> {
        let mut answers = Vec::with_capacity(questions.len());
        let mut questions = questions.into_iter().peekable();
        while questions.peek().is_some() {
            answers.extend(self.ask_some(questions.by_ref().take(QUESTIONS_AT_ONCE).collect())?);
        }
        Ok(answers)
    }

    fn ask_some(&mut self, questions: Vec<Question>) -> Result<Answers, Error> {
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
            for answer in Answer::all_in(&self.received) {
                let position = answer.sequence.wrapping_sub(first) as usize;
                let Some(slot) = answers.get_mut(position) else { continue };
                open = open.saturating_sub(1);
                match answer.refusal(Request::Show) {
                    Some(Error::Refused { errno: Errno::ENOENT, .. }) => {}
                    Some(refusal) => return Err(refusal),
                    None => *slot = answer.attributes(),
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
        let mut is_torn = false;
        loop {
            self.receive()?;
            for answer in Answer::all_in(&self.received).filter(|answer| answer.sequence == self.sequence) {
                // Read to its end all the same: until then the socket is busy with it.
                is_torn |= answer.is_torn();
                match answer.refusal(Request::List) {
                    Some(Error::Refused { errno: Errno::ENOENT, .. }) => return Ok(messages),
                    Some(refusal) => return Err(refusal),
                    None if answer.is_end() && is_torn => return Err(refused(Request::List, Errno::EINTR)),
                    None if answer.is_end() => return Ok(messages),
                    None => messages.extend(answer.attributes()),
                }
            }
        }
    }

    /// The number that grows with every transaction in this namespace, by whomever.
    pub(crate) fn generation(&mut self) -> Result<u32, Error> {
        Ok(self.ask_at_generation(Vec::new())?.0)
    }

    /// Asks for the number, and then for objects: whatever changes after these answers makes it another one.
    pub(crate) fn ask_at_generation(&mut self, questions: Vec<Question>) -> Result<(u32, Answers), Error> {
        let question = NfTablesMessage::GetGen(GenMessage { attributes: Vec::new() });
        let mut all = Vec::with_capacity(questions.len() + 1);
        all.push((NetfilterProtoFamily::Unspec, question));
        all.extend(questions);
        let mut answers = self.ask(all)?.into_iter();
        let generation = answers.next().flatten();
        let generation = generation.as_deref().and_then(|answer| wire::attribute(answer, GEN_ID));
        let generation =
            generation.and_then(wire::number).ok_or_else(|| refused(Request::Show, Errno::ENODATA))?;
        Ok((generation, answers.collect()))
    }

    /// Does all changes of a batch or, on an error, none.
    pub(crate) fn commit(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.changes.is_empty() {
            return Ok(());
        }
        let deletes = batch.deletes();
        let begin = self.sequence + 1;
        let requests: Vec<_> = batch.changes.iter().map(Change::request).collect();
        let message = self.encode_batch(batch);
        // The end has no answer of its own; the last change is asked for one.
        let last = begin + requests.len() as u32;
        self.send(&message)?;
        loop {
            self.receive()?;
            for answer in Answer::all_in(&self.received) {
                let position = answer.sequence.wrapping_sub(begin) as usize;
                if position > requests.len() {
                    continue;
                }
                let request = position.checked_sub(1).map_or(Request::Begin, |change| requests[change]);
                if let Some(refusal) = answer.refusal(request) {
                    return Err(refusal);
                }
                if answer.sequence == last {
                    self.has_deleted |= deletes;
                    if deletes {
                        pending::note();
                    }
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
            let exclusive = if change.exclusive { NLM_F_EXCL } else { 0 };
            let flags = NLM_F_REQUEST | answer | exclusive | creation_flags(&change.message);
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

/// Elements that are there already are fine. A table must be new, or its rules would be there twice.
fn creation_flags(message: &NfTablesMessage) -> u16 {
    match message {
        NfTablesMessage::NewTable(_) => NLM_F_CREATE | NLM_F_EXCL,
        // A rule with a position goes before the one that is there.
        NfTablesMessage::NewRule(rule) if rule.attributes.iter().any(is_position) => NLM_F_CREATE,
        NfTablesMessage::NewRule(_) => NLM_F_CREATE | NLM_F_APPEND,
        NfTablesMessage::NewChain(_) | NfTablesMessage::NewSet(_) | NfTablesMessage::NewSetElement(_) => {
            NLM_F_CREATE
        }
        _ => 0,
    }
}

fn is_position(attribute: &RuleAttribute) -> bool {
    matches!(attribute, RuleAttribute::Position(_))
}

fn refused(request: Request, errno: Errno) -> Error {
    Error::Refused { request, errno, text: None }
}
