//! Sockets that know how long the kernel has worked for them.

use crate::message::{Message, Reply};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use std::io;
use std::time::{Duration, Instant};

/// Long enough for any answer, and far longer than it will ever be.
const DATAGRAM: usize = 32 * 1024;

/// A socket for requests and answers, or for announcements.
pub(crate) struct Wire {
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
    /// Time spent in the system calls that send and receive.
    pub(crate) kernel: Duration,
}

impl Wire {
    /// A socket for requests and answers.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = Socket::new(NETLINK_ROUTE)?;
        Ok(Self { socket, buffer: Vec::with_capacity(DATAGRAM), sequence: 0, kernel: Duration::ZERO })
    }

    /// A socket for the announcements of a group.
    pub(crate) fn listen(group: u32) -> io::Result<Self> {
        let mut wire = Self::open()?;
        wire.socket.bind(&SocketAddr::new(0, group))?;
        Ok(wire)
    }

    /// Sends all at once, and returns what was found in the first reply in which there is something to find.
    /// The last message has to be one that is answered.
    pub(crate) fn exchange<T>(
        &mut self,
        messages: Vec<Message>,
        mut find: impl FnMut(Reply<'_>) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut batch = Vec::new();
        for message in messages {
            self.sequence += 1;
            batch.extend(message.numbered(self.sequence));
        }
        let started = Instant::now();
        let sent = self.socket.send(&batch, 0);
        self.kernel += started.elapsed();
        sent?;
        let last = self.sequence;
        let mut found = None;
        self.receive(|reply| {
            if let Some(errno) = reply.errno().filter(|errno| *errno != 0) {
                return Err(io::Error::from_raw_os_error(errno));
            }
            found = found.take().or_else(|| find(reply));
            Ok((reply.sequence() == last).then_some(()))
        })?;
        Ok(found)
    }

    /// Receives until `done` has what it wants.
    pub(crate) fn receive<T>(
        &mut self,
        mut done: impl FnMut(Reply<'_>) -> io::Result<Option<T>>,
    ) -> io::Result<T> {
        loop {
            self.buffer.clear();
            let started = Instant::now();
            let received = self.socket.recv(&mut self.buffer, 0);
            self.kernel += started.elapsed();
            received?;
            for reply in Reply::all(&self.buffer) {
                if let Some(value) = done(reply)? {
                    return Ok(value);
                }
            }
        }
    }
}
