//! Waiting for notifications.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::attributes::u32_at;
use crate::frame::{Message, Messages};
use crate::{Address, Error, Label, Link};

/// A notification is a page at most.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// What notifications are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Links come, change and go.
    Links,
    /// IPv4 addresses come and go.
    Ipv4Addresses,
    /// IPv6 addresses come, become usable or fail, and go.
    Ipv6Addresses,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A link is there, or has changed.
    Link(Box<Link>),
    /// The link with this number is gone: its name, number and MAC address are free again.
    LinkGone(u32),
    /// An address is there, or has changed.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// Notifications were lost, for they came faster than they were read. Whoever waits must look again.
    Lost,
}

/// A socket that hears what happens in one network namespace: the one that the calling thread was in when it
/// opened it, from that moment on.
pub struct Watch {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// [`Error::Open`], when there are no descriptors left.
    pub fn open(groups: &[Group]) -> Result<Self, Error> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            let mask = groups.iter().fold(0, |mask, group| mask | bit(*group));
            socket.bind(&SocketAddr::new(0, mask))?;
            Ok(socket)
        };
        let socket = open().map_err(|source| Error::Open { source })?;
        Ok(Self { socket, buffer: Vec::with_capacity(RECEIVE_BUFFER) })
    }

    /// Waits until `seek` finds in an event what it seeks; nothing, if that does not happen within `limit`.
    ///
    /// # Errors
    /// When receiving fails.
    pub fn wait_for<T>(
        &mut self,
        limit: Duration,
        label: &Label,
        mut seek: impl FnMut(Event) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let deadline = Instant::now() + limit;
        loop {
            while let Some(events) = self.receive(label)? {
                if let Some(found) = events.into_iter().find_map(&mut seek) {
                    return Ok(Some(found));
                }
            }
            let failed = |source: io::Error| Error::Exchange { label: label.clone(), source };
            if !wait_readable(&[self.socket.as_fd()], deadline).map_err(failed)? {
                return Ok(None);
            }
        }
    }

    /// The events that have come; nothing, if none has.
    pub(crate) fn receive(&mut self, label: &Label) -> Result<Option<Vec<Event>>, Error> {
        loop {
            self.buffer.clear();
            match self.socket.recv_from(&mut self.buffer, libc::MSG_DONTWAIT) {
                // Port 0 is the kernel. Others may send to a group, too, when they are privileged.
                Ok((_, sender)) if sender.port_number() != 0 => {}
                Ok(_) => {
                    return Ok(Some(Messages(&self.buffer).filter_map(|message| event(&message)).collect()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    return Ok(Some(vec![Event::Lost]));
                }
                Err(source) => return Err(Error::Exchange { label: label.clone(), source }),
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Waits until one of `descriptors` can be read; false, if that does not happen before `deadline`.
pub(crate) fn wait_readable(descriptors: &[BorrowedFd<'_>], deadline: Instant) -> io::Result<bool> {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    loop {
        // Rounded up: a wait that is a little too long beats one that spins.
        let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_micros(999);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut polled, timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn bit(group: Group) -> u32 {
    let bit = match group {
        Group::Links => libc::RTMGRP_LINK,
        Group::Ipv4Addresses => libc::RTMGRP_IPV4_IFADDR,
        Group::Ipv6Addresses => libc::RTMGRP_IPV6_IFADDR,
    };
    bit.cast_unsigned()
}

fn event(message: &Message<'_>) -> Option<Event> {
    // A bridge speaks of its ports with the same types, in its own family.
    let of_any_family = message.body.first() == Some(&0);
    match message.kind {
        libc::RTM_NEWLINK if of_any_family => {
            Link::read(message.body).map(|link| Event::Link(Box::new(link)))
        }
        libc::RTM_DELLINK if of_any_family => u32_at(message.body, 4).map(Event::LinkGone),
        libc::RTM_NEWADDR => Address::read(message.body).map(Event::Address),
        libc::RTM_DELADDR => Address::read(message.body).map(Event::AddressGone),
        _ => None,
    }
}
