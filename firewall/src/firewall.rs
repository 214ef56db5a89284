//! The handle: one socket, opened when it is first needed.

use std::os::fd::OwnedFd;

use crate::channel::{self, Channel};

/// How often a transaction is tried again that others were quicker than. Each loss means that somebody
/// else got on, in less than 0.1 ms; hundreds may start at once on a large machine.
const ATTEMPTS: usize = 1024;

/// Our tables in the network namespace of the thread that first uses it.
///
/// Nothing happens before the first request. Dropping it closes the socket, and the kernel then waits some
/// 10 ms for whatever was lately deleted in this namespace: by this handle, or by anybody else. Whoever
/// cannot wait hands [`Firewall::into_socket`] to a process that can.
///
/// What deletes, and so leaves a wait behind, are the calls named `remove_` and `retain` when they find
/// something, and an `ensure_` when it replaces something: the port of an earlier container, the subnet of
/// a network that comes to share it, a table that is flushed or outdated. The `iptables` programs wait for
/// themselves before they end.
#[derive(Debug, Default)]
pub struct Firewall {
    channel: Option<Channel>,
}

/// What an `ensure_` found. What two of them found together is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub enum Ensured {
    /// Nothing had to be done.
    AlreadyThere,
    /// It was made.
    Added,
}

/// What a `remove_` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It was there and is gone.
    Now,
    /// There was nothing.
    Before,
}

/// What a `find_` found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// Everything is in place.
    Whole,
    /// Somebody removed or flushed our rules; the next ADD puts them back.
    RulesMissing,
    /// These elements or, with iptables, rules are not there.
    Missing(Vec<String>),
}

impl Firewall {
    /// A handle without a socket.
    #[must_use]
    pub const fn new() -> Self {
        Self { channel: None }
    }

    /// The socket, if something was deleted through it: closing it waits, and so does the end of the
    /// process that has it. Without one there is nothing to wait for on this handle's account.
    #[must_use]
    pub fn into_socket(self) -> Option<OwnedFd> {
        self.channel.as_ref().filter(|channel| channel.has_deleted())?;
        self.into_any_socket()
    }

    /// The socket, if there is one: for whoever has a child at hand that holds it anyway. Closing it waits for what
    /// others deleted, too.
    #[must_use]
    pub fn into_any_socket(self) -> Option<OwnedFd> {
        // Without a descriptor to spare the socket is closed here and now, which is slow but right.
        self.channel?.into_fd().ok()
    }

    /// Tries until nobody else is quicker.
    pub(crate) fn attempt<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Channel) -> Result<T, channel::Error>,
    ) -> Result<T, channel::Error> {
        let channel = match &mut self.channel {
            Some(channel) => channel,
            none => none.insert(Channel::open()?),
        };
        for _ in 1..ATTEMPTS {
            match attempt(channel) {
                Err(error) if error.is_race() => {}
                done => return done,
            }
        }
        attempt(channel)
    }
}
