//! The socket: sends a batch, reads every answer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::libc;

use crate::attributes::i32_attribute;
use crate::batch::Request;
use crate::frame::{self, Message, Messages};
use crate::{Batch, Error, Label, Link, Refused, Route, Ticket};

/// More than the kernel ever puts into one answer: it cuts dumps at 32 KiB, and a single link is far smaller.
/// The memory is reserved once; only the pages that the kernel fills are ever touched.
const RECEIVE_BUFFER: usize = 64 * 1024;
/// What is sent at once at most. The answers of a send wait in the socket's receive queue, which holds 208 KiB
/// by default, and up to 4 KiB are charged for each.
const MESSAGES_PER_SEND: usize = 32;
/// `NETNSA_NSID` (`linux/net_namespace.h`).
const NETNSA_NSID: u16 = 1;

/// A socket for requests about links, addresses and routes of one network namespace: the one that the calling
/// thread was in when it opened the socket. It stays there wherever the thread goes.
pub struct RouteSocket {
    socket: Socket,
    sequence: u32,
    pub(crate) buffer: Vec<u8>,
    /// A dump of which the rest was not wanted.
    pub(crate) unfinished: Option<u32>,
}

impl RouteSocket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Open`], when the kernel is older than 4.20 or out of descriptors.
    pub fn open() -> Result<Self, Error> {
        let socket = connected_socket().map_err(|source| Error::Open { source })?;
        Ok(Self { socket, sequence: 0, buffer: Vec::with_capacity(RECEIVE_BUFFER), unfinished: None })
    }

    /// Sends `batch`; every request must succeed.
    ///
    /// # Errors
    /// The first refusal; the requests behind the refused one have been carried out all the same.
    pub fn run(&mut self, batch: Batch) -> Result<Replies, Error> {
        let replies = self.run_each(batch)?;
        let first_refused = replies.outcomes().flatten().next().cloned();
        first_refused.map_or(Ok(replies), |refused| Err(refused.into()))
    }

    /// Sends `batch`; [`Replies`] tells how each request ended.
    ///
    /// # Errors
    /// When sending or receiving fails; not, when a request is refused.
    pub fn run_each(&mut self, batch: Batch) -> Result<Replies, Error> {
        let (mut bytes, requests) = batch.into_parts();
        let mut replies = Vec::with_capacity(requests.len());
        let mut rest = requests.as_slice();
        while let Some(first) = rest.first() {
            let (now, later) = rest.split_at(rest.len().min(MESSAGES_PER_SEND));
            let end = now.last().map_or(first.range.end, |last| last.range.end);
            self.exchange(now, &mut bytes[..end], &mut replies)?;
            rest = later;
        }
        Ok(Replies(replies))
    }

    fn exchange(
        &mut self,
        requests: &[Request],
        bytes: &mut [u8],
        replies: &mut Vec<Reply>,
    ) -> Result<(), Error> {
        let Some(Request { label, range }) = requests.first() else { return Ok(()) };
        let first = self.sequence + 1;
        for (request, sequence) in requests.iter().zip(first..) {
            frame::number(&mut bytes[request.range.clone()], sequence);
            self.sequence = sequence;
        }
        self.send(&bytes[range.start..], label)?;

        let mut waiting = requests.len();
        let mut answers: Vec<Reply> = requests.iter().map(|_| Reply::default()).collect();
        while waiting > 0 {
            let at = answers.iter().position(|answer| !answer.ended).unwrap_or(0);
            self.receive(requests.get(at).map_or(label, |request| &request.label))?;
            for message in Messages(&self.buffer) {
                // Other numbers are the rest of a dump that nobody wanted to hear to its end.
                let Some(at) = message.sequence.checked_sub(first).and_then(|at| usize::try_from(at).ok())
                else {
                    continue;
                };
                if let (Some(request), Some(answer)) = (requests.get(at), answers.get_mut(at)) {
                    answer.read(&message, &request.label);
                    waiting -= usize::from(message.verdict().is_some());
                }
            }
        }
        replies.append(&mut answers);
        Ok(())
    }

    /// For the reaper's child, which may not allocate.
    pub(crate) fn raw(&self) -> &Socket {
        &self.socket
    }

    /// The next unused sequence number.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    pub(crate) fn send(&self, bytes: &[u8], label: &Label) -> Result<(), Error> {
        self.socket
            .send(bytes, 0)
            .map(drop)
            .map_err(|source| Error::Exchange { label: label.clone(), source })
    }

    /// Receives into the buffer. The kernel has worked off a request before `send` returns, and continues a dump
    /// whenever the queue is read: an empty queue is no reason to wait, but an answer that was lost.
    pub(crate) fn receive(&mut self, label: &Label) -> Result<(), Error> {
        self.buffer.clear();
        loop {
            match self.socket.recv(&mut self.buffer, libc::MSG_DONTWAIT | libc::MSG_TRUNC) {
                Ok(length) if length > self.buffer.len() => return Err(Error::Lost { label: label.clone() }),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(Error::Lost { label: label.clone() });
                }
                Err(source) => return Err(Error::Exchange { label: label.clone(), source }),
            }
        }
        if let Some(sequence) = self.unfinished {
            let ends = |message: Message<'_>| message.sequence == sequence && message.verdict().is_some();
            if Messages(&self.buffer).any(ends) {
                self.unfinished = None;
            }
        }
        Ok(())
    }
}

impl AsFd for RouteSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn connected_socket() -> io::Result<Socket> {
    let socket = Socket::new(NETLINK_ROUTE)?;
    // Refusals come with words, and do not repeat the request; a request that filters is taken at its word.
    socket.set_ext_ack(true)?;
    socket.set_cap_ack(true)?;
    socket.set_netlink_get_strict_chk(true)?;
    // Connected to the kernel: what a privileged process of the same namespace (a container may have one) sends
    // to this socket is refused instead of being taken for the kernel's word.
    socket.connect(&SocketAddr::new(0, 0))?;
    Ok(socket)
}

/// How each request of a batch ended.
#[derive(Debug)]
pub struct Replies(Vec<Reply>);

#[derive(Debug, Default)]
struct Reply {
    ended: bool,
    refused: Option<Refused>,
    link: Option<Link>,
    route: Option<Route>,
    nsid: Option<i32>,
}

impl Reply {
    fn read(&mut self, message: &Message<'_>, label: &Label) {
        match message.kind {
            // A creation may be echoed more than once; the last echo knows most.
            libc::RTM_NEWLINK => self.link = Link::read(message.body),
            libc::RTM_NEWROUTE => self.route = Route::read(message.body),
            libc::RTM_NEWNSID => self.nsid = i32_attribute(message.body, 4, NETNSA_NSID),
            _ => {
                if let Some(verdict) = message.verdict() {
                    self.ended = true;
                    let refused = verdict.err();
                    self.refused = refused.map(|(errno, explanation)| Refused {
                        label: label.clone(),
                        errno,
                        explanation,
                    });
                }
            }
        }
    }
}

impl Replies {
    /// Why the request was refused, if it was.
    #[must_use]
    pub fn refused(&self, ticket: Ticket) -> Option<&Refused> {
        self.0.get(ticket.0)?.refused.as_ref()
    }

    /// Why each request was refused, or nothing, in the order of the requests.
    pub fn outcomes(&self) -> impl Iterator<Item = Option<&Refused>> {
        self.0.iter().map(|reply| reply.refused.as_ref())
    }

    /// The link that the kernel described: the one that was asked about, or the one that was made. Kernels
    /// before 6.2 do not describe a link that they make.
    pub fn take_link(&mut self, ticket: Ticket) -> Option<Link> {
        self.0.get_mut(ticket.0)?.link.take()
    }

    /// The way that a packet would go.
    pub(crate) fn take_route(&mut self, ticket: Ticket) -> Option<Route> {
        self.0.get_mut(ticket.0)?.route.take()
    }

    pub(crate) fn nsid(&self, ticket: Ticket) -> Option<i32> {
        self.0.get(ticket.0)?.nsid
    }
}
