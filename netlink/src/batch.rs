//! Requests to be sent together, as bytes: pure data, nothing is sent here.

use std::fmt;
use std::ops::Range;

use netlink_packet_core::{
    Emitable, NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, NLM_F_REQUEST,
};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::nsid::NsidMessage;
use netlink_packet_route::route::RouteMessage;
use nix::libc;

use crate::frame;

/// What is tried, with whom: `create veth` and `veth1a2b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The attempt, verb first.
    pub operation: &'static str,
    /// The link, address or route it is about.
    pub object: String,
}

impl Label {
    /// Puts the two together.
    #[must_use]
    pub fn new(operation: &'static str, object: impl fmt::Display) -> Self {
        Self { operation, object: object.to_string() }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object.as_str() {
            "" => f.write_str(self.operation),
            object => write!(f, "{} {object}", self.operation),
        }
    }
}

/// One request's place in its batch, to ask [`Replies`](crate::Replies) about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub(crate) usize);

pub(crate) struct Request {
    pub(crate) label: Label,
    /// Where the message stands in the batch's bytes.
    pub(crate) range: Range<usize>,
}

/// Requests that the kernel gets in one piece and works off in order.
///
/// A request that fails does not stop those behind it. A request that only makes sense when an earlier one
/// succeeded belongs in a later batch, all the more when it names its link: after a creation that failed
/// because the name is taken, the name is a stranger's.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    requests: Vec<Request>,
}

impl Batch {
    /// A batch with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a link that must not exist yet; the kernel's echo tells its index.
    pub fn create_link(&mut self, label: Label, link: &LinkMessage) -> Ticket {
        self.push(label, libc::RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, link)
    }

    /// Changes what belongs to the kind of a link, or to its being a port: what `SETLINK` would silently ignore.
    pub fn change_link(&mut self, label: Label, link: &LinkMessage) -> Ticket {
        self.push(label, libc::RTM_NEWLINK, 0, link)
    }

    /// Changes what every link has: flags, name, alias, address, MTU, group.
    pub fn set_link(&mut self, label: Label, link: &LinkMessage) -> Ticket {
        self.push(label, libc::RTM_SETLINK, 0, link)
    }

    /// Removes a link or, with [`AddressFamily::Bridge`](crate::packet::AddressFamily), VLANs of a port.
    pub fn remove_link(&mut self, label: Label, link: &LinkMessage) -> Ticket {
        self.push(label, libc::RTM_DELLINK, 0, link)
    }

    /// Asks about one link.
    pub fn find_link(&mut self, label: Label, link: &LinkMessage) -> Ticket {
        self.push(label, libc::RTM_GETLINK, 0, link)
    }

    /// Adds an address that must not be there yet.
    pub fn add_address(&mut self, label: Label, address: &AddressMessage) -> Ticket {
        self.push(label, libc::RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address)
    }

    /// Removes an address.
    pub fn remove_address(&mut self, label: Label, address: &AddressMessage) -> Ticket {
        self.push(label, libc::RTM_DELADDR, 0, address)
    }

    /// Adds a route behind those to the same destination that are there already.
    pub fn append_route(&mut self, label: Label, route: &RouteMessage) -> Ticket {
        self.push(label, libc::RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, route)
    }

    /// Adds a route to a destination that none leads to yet, at its rank.
    pub fn create_route(&mut self, label: Label, route: &RouteMessage) -> Ticket {
        self.push(label, libc::RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route)
    }

    /// Removes a route.
    pub fn remove_route(&mut self, label: Label, route: &RouteMessage) -> Ticket {
        self.push(label, libc::RTM_DELROUTE, 0, route)
    }

    /// Asks which way a packet would go.
    pub(crate) fn find_route(&mut self, label: Label, route: &RouteMessage) -> Ticket {
        self.push(label, libc::RTM_GETROUTE, 0, route)
    }

    /// Asks for the number by which this namespace knows another one.
    pub(crate) fn find_nsid(&mut self, label: Label, nsid: &NsidMessage) -> Ticket {
        self.push(label, libc::RTM_GETNSID, 0, nsid)
    }

    /// Gives another namespace a number in this one.
    pub(crate) fn assign_nsid(&mut self, label: Label, nsid: &NsidMessage) -> Ticket {
        self.push(label, libc::RTM_NEWNSID, 0, nsid)
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// What the requests are about, in order.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.requests.iter().map(|request| &request.label)
    }

    /// The messages as they will be sent, but for their sequence numbers, which are zero.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn push(&mut self, label: Label, kind: u16, flags: u16, body: &impl Emitable) -> Ticket {
        let start = self.bytes.len();
        frame::append(&mut self.bytes, kind, NLM_F_REQUEST | NLM_F_ACK | flags, body);
        self.requests.push(Request { label, range: start..self.bytes.len() });
        Ticket(self.requests.len() - 1)
    }

    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<Request>) {
        (self.bytes, self.requests)
    }
}

impl fmt::Debug for Batch {
    /// One line a request: what it is about, and its bytes after the message's header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Request { label, range } in &self.requests {
            let message = self.bytes.get(range.clone()).unwrap_or_default();
            let (kind, flags) = frame::kind_and_flags(message).unwrap_or_default();
            write!(f, "{label} type={kind} flags={flags:#05x} ")?;
            for byte in message.get(frame::HEADER..).unwrap_or_default() {
                write!(f, "{byte:02x}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_its_messages_one_after_the_other() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        let mut link = LinkMessage::default();
        link.header.index = 7;
        batch.remove_link(Label::new("remove link", "veth1"), &link);
        batch.find_link(Label::new("find link", 7), &link);
        let header = "00000000070000000000000000000000";
        assert_eq!(
            format!("{batch:?}"),
            format!(
                "remove link veth1 type=17 flags=0x005 {header}\nfind link 7 type=18 flags=0x005 {header}\n"
            )
        );
        assert_eq!(batch.bytes().len(), 64);
    }
}
