//! Those who are attached to a container.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};

use crate::Interest;
use crate::log::Stream;
use crate::message::{self, Answer, Request};

/// While somebody has so many bytes to read yet, the container's program waits: what is printed is not lost.
const MOST: usize = 1 << 20;

/// One of them.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) socket: OwnedFd,
    pub(super) interest: Interest,
    /// What he has not taken yet.
    pending: VecDeque<Vec<u8>>,
    waiting: usize,
    pub(super) is_gone: bool,
}

impl Client {
    pub(super) fn new(socket: OwnedFd, interest: Interest) -> Self {
        Self { socket, interest, pending: VecDeque::new(), waiting: 0, is_gone: false }
    }

    pub(super) fn tell(&mut self, answer: &Answer) {
        let packet = answer.to_bytes();
        self.waiting += packet.len();
        self.pending.push_back(packet);
        self.flush();
    }

    /// Sends as much as he takes.
    pub(super) fn flush(&mut self) {
        while let Some(packet) = self.pending.front() {
            match message::send(self.socket.as_fd(), packet, false) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.is_gone = true;
                    self.pending.clear();
                }
                Ok(()) => {
                    self.waiting -= packet.len();
                    self.pending.pop_front();
                }
            }
        }
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The last words, to the end or until he is gone.
    pub(super) fn finish(mut self, answer: &Answer) {
        self.pending.push_back(answer.to_bytes());
        for packet in &self.pending {
            if message::send(self.socket.as_fd(), packet, true).is_err() {
                return;
            }
        }
    }

    /// What he says, if he has said something.
    pub(super) fn hear(&mut self) -> Option<Request> {
        match message::receive(self.socket.as_fd(), false) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Ok(Some(packet)) => Request::from_bytes(&packet),
            Ok(None) | Err(_) => {
                self.is_gone = true;
                None
            }
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Clients(pub(super) Vec<Client>);

impl Clients {
    /// Shows everybody who wants to see it what was printed.
    pub(super) fn show(&mut self, stream: Stream, printed: &[u8]) {
        let answer = match stream {
            Stream::Stdout => Answer::Output(printed.to_vec()),
            Stream::Stderr => Answer::ErrorOutput(printed.to_vec()),
        };
        let wants = |client: &&mut Client| match stream {
            Stream::Stdout => client.interest.stdout,
            Stream::Stderr => client.interest.stderr,
        };
        self.0.iter_mut().filter(wants).for_each(|client| client.tell(&answer));
    }

    /// Whether somebody does not keep up.
    pub(super) fn is_congested(&self) -> bool {
        self.0.iter().any(|client| client.waiting > MOST)
    }

    /// Forgets those who are gone; whether one of them could type.
    pub(super) fn bury(&mut self) -> bool {
        let had_typist = self.0.iter().any(|client| client.is_gone && client.interest.stdin);
        self.0.retain(|client| !client.is_gone);
        had_typist
    }
}
