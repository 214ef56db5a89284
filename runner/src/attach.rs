//! Being attached to a container: what is typed goes in, what is printed comes out.

mod detach;
mod relay;
mod terminal;

use std::os::fd::OwnedFd;

pub use detach::{DetachKeys, InvalidKeys};
pub use relay::terminal_size;
pub(crate) use terminal::relay_terminal;

use crate::Interest;

/// A conversation with a container's monitor.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
    interest: Interest,
    is_terminal: bool,
}

/// How one is attached.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The keys that end it, while the container goes on; with a terminal only.
    pub detach: Option<DetachKeys>,
    /// Whether signals that this process gets are the container's.
    pub hands_on_signals: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The container has ended: its exit code.
    Exited(u8),
    /// It goes on.
    Detached,
    /// Its monitor was killed.
    Lost,
}

impl Connection {
    pub(crate) const fn new(socket: OwnedFd, interest: Interest, is_terminal: bool) -> Self {
        Self { socket, interest, is_terminal }
    }
}
