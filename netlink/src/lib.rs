//! Blocking rtnetlink requests, batched.
//!
//! A [`Batch`] holds requests, each with a [`Label`] that says what is tried, with whom. A [`RouteSocket`]
//! sends them in one system call, reads every answer and matches it by its sequence number: the kernel does
//! not stop at the first request that fails, so an answer that nobody read would be a failure that nobody saw.
//!
//! Requests are the typed messages of [`packet`]. Answers are read by this crate itself, into [`Link`],
//! [`Address`] and [`Route`]: only what this house asks about, so that an attribute that a later kernel adds or
//! widens cannot fail an ADD, and because it is quick: in a process that has just started, reading one
//! description of a link takes 1 µs instead of 39 µs, most of which were page faults of code not yet touched.
//!
//! [`Watch`] waits for notifications. [`reaper`] lets a child sit out what the kernel makes a caller wait for.

mod address;
mod attributes;
mod batch;
mod dump;
mod error;
mod frame;
mod link;
mod query;
pub mod reaper;
mod removal;
mod route;
mod socket;
mod watch;
mod way;

pub use address::{Address, AddressState};
pub use batch::{Batch, Label, Ticket};
pub use error::{Error, Refused};
pub use link::{Bridge, Link, Operation, Port, PortState};
pub use netlink_packet_core::{DefaultNla, Emitable, Nla};
pub use netlink_packet_route as packet;
pub use query::LinkName;
pub use removal::VICTIMS;
pub use route::{NextHop, Route};
pub use socket::{Replies, RouteSocket};
pub use watch::{Event, Group, Watch};
