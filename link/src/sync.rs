//! The end of an ADD: what was wired up forwards.
//!
//! When a veth's second end comes up, the kernel notes that there is a carrier, and draws the consequences later, up
//! to a second later for a bridge: the port is still disabled, the queue still swallows what it is given. The
//! container's first packet would be lost without a word, and repeated after a second. From Linux 6.7 on, asking
//! about one link makes the kernel catch up with that link; with older ones there is nothing to do but wait for
//! the notification.

use std::time::{Duration, Instant};

use netlink::{Batch, Error, Event, Group, Label, Link, LinkName, Operation, RouteSocket, Watch};

/// The kernel draws the consequences of a carrier at most once a second.
const LIMIT: Duration = Duration::from_millis(1200);

/// What the host's end and its bridge are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The host's end.
    pub port: Link,
    /// The bridge, if there is one.
    pub bridge: Option<Link>,
}

impl Settled {
    /// Whether packets pass. If not, the first ones may be lost; so it is when the container's end is left down.
    #[must_use]
    pub fn is_forwarding(&self) -> bool {
        let passes = |link: &Link| link.operation == Operation::Up;
        passes(&self.port) && self.bridge.as_ref().is_none_or(passes)
    }
}

/// Sees to it that packets pass between the host's end and the bridge, after the container's end was switched on.
/// One request, and no waiting, on a kernel from 6.7 on.
///
/// # Errors
/// A refusal that [`is_missing`](Error::is_missing), when one of them is gone; or what else the kernel says.
pub fn settle(host: &mut RouteSocket, port: u32, bridge: Option<u32>) -> Result<Settled, Error> {
    let settled = ask(host, port, bridge)?;
    if settled.is_forwarding() || !settled.port.has_carrier {
        return Ok(settled);
    }
    let mut watch = Watch::open(&[Group::Links])?;
    let label = Label::new("wait for link", &settled.port.name);
    let deadline = Instant::now() + LIMIT;
    // Asked again after the watch began: what happened before that will not be told any more.
    let mut settled = ask(host, port, bridge)?;
    while !settled.is_forwarding() {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_about_us = |event: Event| match event {
            Event::Link(link) => (link.index == port || Some(link.index) == bridge).then_some(()),
            Event::Lost => Some(()),
            _ => None,
        };
        if watch.wait_for(left, &label, is_about_us)?.is_none() {
            break;
        }
        settled = ask(host, port, bridge)?;
    }
    Ok(settled)
}

fn ask(host: &mut RouteSocket, port: u32, bridge: Option<u32>) -> Result<Settled, Error> {
    let mut batch = Batch::new();
    let port_ticket = batch.find(LinkName::Index(port));
    let bridge_ticket = bridge.map(|index| batch.find(LinkName::Index(index)));
    let mut replies = host.run(batch)?;
    let lacks = |index| Error::Malformed { label: Label::new("find link number", index), lacks: "a link" };
    Ok(Settled {
        port: replies.take_link(port_ticket).ok_or_else(|| lacks(port))?,
        bridge: bridge_ticket.and_then(|ticket| replies.take_link(ticket)),
    })
}
