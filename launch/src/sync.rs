//! What parent and child say to each other until the program runs.
//!
//! A pair of sockets that closes when the child executes its program: the end of it is the message that this has worked.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::failure::Failure;

const READY: u8 = b'r';
const FAILED: u8 = b'f';
const GO: u8 = b'g';
/// As long as a message may get; paths are no longer than a page.
const LONGEST: usize = 8192;

/// One end.
#[derive(Debug)]
pub(crate) struct End(OwnedFd);

/// What the child says.
#[derive(Debug)]
pub(crate) enum Message {
    /// Everything is prepared; with the master of its terminal, if it has one.
    Ready(Option<OwnedFd>),
    /// Something could not be done.
    Failed(Failure),
    /// It has closed its end: it executes its program, or has died.
    Closed,
}

/// Both ends, which no program that is executed gets.
pub(crate) fn pair() -> io::Result<(End, End)> {
    let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    Ok((End(one), End(other)))
}

impl End {
    /// The child's: everything is prepared.
    pub(crate) fn send_ready(&self, terminal: Option<OwnedFd>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = terminal.as_ref().map(AsFd::as_fd).into_iter().collect::<Vec<_>>();
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        sendmsg(&self.0, &[IoSlice::new(&[READY])], &mut ancillary, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// The child's: something could not be done. Nobody may be there any more to hear of it.
    pub(crate) fn send_failure(&self, failure: &Failure) {
        let mut message = vec![FAILED];
        message.extend(failure.to_bytes());
        message.truncate(LONGEST);
        let _ = rustix::net::send(&self.0, &message, SendFlags::NOSIGNAL);
    }

    /// The parent's: the program may run.
    pub(crate) fn send_go(&self) -> io::Result<()> {
        match rustix::net::send(&self.0, &[GO], SendFlags::NOSIGNAL) {
            // What the child has said before it died is read next.
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The child's: waits for the parent's word; false when the parent is gone.
    pub(crate) fn wait_for_go(&self) -> io::Result<bool> {
        let mut word = [0_u8; 1];
        loop {
            match rustix::net::recv(&self.0, word.as_mut_slice(), RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok((length, _)) => return Ok(length == 1 && word[0] == GO),
            }
        }
    }

    /// The parent's: what the child says next.
    pub(crate) fn receive(&self) -> io::Result<Message> {
        let mut bytes = vec![0_u8; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let length = loop {
            let mut parts = [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.0, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                // The child ended and had not read our word: the kernel says so once, and what the child said comes next.
                Err(Errno::INTR | Errno::CONNRESET) => {}
                Err(error) => return Err(error.into()),
                Ok(received) => break received.bytes,
            }
        };
        let terminal = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Ok(match bytes[..length].split_first() {
            Some((&READY, _)) => Message::Ready(terminal),
            Some((&FAILED, said)) => match Failure::from_bytes(said) {
                Some(failure) => Message::Failed(failure),
                None => Message::Closed,
            },
            _ => Message::Closed,
        })
    }
}

impl AsFd for End {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_said_that_died_without_hearing_the_word_arrives() {
        let (parent, child) = pair().expect("a pair");
        parent.send_go().expect("sent");
        child.send_failure(&Failure::new("mount on /trap", Errno::PERM));
        drop(child);
        match parent.receive().expect("a message") {
            Message::Failed(failure) => assert_eq!(failure.what, "mount on /trap"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(parent.receive().expect("the end"), Message::Closed));
    }
}
