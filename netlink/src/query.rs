//! Questions about one link or one namespace.

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::DefaultNla;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use vocab::InterfaceName;

use crate::{Batch, Error, Label, Link, RouteSocket, Ticket};

/// `IFLA_ALT_IFNAME` (`linux/if_link.h`).
const IFLA_ALT_IFNAME: u16 = 53;

/// By what a link is looked for.
#[derive(Debug, Clone, Copy)]
pub enum LinkName<'a> {
    /// Its name.
    Name(&'a InterfaceName),
    /// Its number.
    Index(u32),
    /// An alternative name, which may be longer than a name can be.
    Alternative(&'a str),
}

impl fmt::Display for LinkName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name}"),
            Self::Index(index) => write!(f, "number {index}"),
            Self::Alternative(name) => f.write_str(name),
        }
    }
}

impl Batch {
    /// Asks about one link, without its counters. A missing link is a refusal.
    pub fn find(&mut self, wanted: LinkName<'_>) -> Ticket {
        self.find_link(Label::new("find link", wanted), &question(wanted))
    }
}

impl RouteSocket {
    /// Looks for a link.
    ///
    /// # Errors
    /// When the kernel refuses for another reason than that there is no such link.
    pub fn find_link(&mut self, wanted: LinkName<'_>) -> Result<Option<Link>, Error> {
        self.find_question(wanted, &question(wanted))
    }

    /// Looks for a link in another namespace, by the number that this socket's namespace knows it by.
    ///
    /// # Errors
    /// As with [`find_link`](Self::find_link).
    pub fn find_link_in(&mut self, nsid: i32, wanted: LinkName<'_>) -> Result<Option<Link>, Error> {
        let mut message = question(wanted);
        message.attributes.push(LinkAttribute::IfNetnsId(nsid));
        self.find_question(wanted, &message)
    }

    /// The link of that name or number, which must be there.
    ///
    /// # Errors
    /// A refusal that [`is_missing`](Error::is_missing), when there is none.
    pub fn expect_link(&mut self, wanted: LinkName<'_>) -> Result<Link, Error> {
        let mut batch = Batch::new();
        let ticket = batch.find(wanted);
        let link = self.run(batch)?.take_link(ticket);
        link.ok_or_else(|| Error::Malformed { label: Label::new("find link", wanted), lacks: "a link" })
    }

    fn find_question(&mut self, wanted: LinkName<'_>, message: &LinkMessage) -> Result<Option<Link>, Error> {
        let mut batch = Batch::new();
        let ticket = batch.find_link(Label::new("find link", wanted), message);
        let mut replies = self.run_each(batch)?;
        match replies.refused(ticket) {
            Some(refused) if refused.is_missing() => Ok(None),
            Some(refused) => Err(refused.clone().into()),
            None => match replies.take_link(ticket) {
                Some(link) => Ok(Some(link)),
                None => Err(Error::Malformed { label: Label::new("find link", wanted), lacks: "a link" }),
            },
        }
    }

    /// The number by which this socket's namespace knows `namespace`, if it has one for it.
    ///
    /// # Errors
    /// When `namespace` is no network namespace.
    pub fn find_nsid(&mut self, namespace: BorrowedFd<'_>) -> Result<Option<i32>, Error> {
        let mut batch = Batch::new();
        let ticket =
            batch.find_nsid(Label::new("find the number of a namespace", ""), &nsid(namespace, None));
        Ok(self.run(batch)?.nsid(ticket).filter(|nsid| *nsid >= 0))
    }

    /// The number by which this socket's namespace knows `namespace`; it gets one if it has none.
    ///
    /// # Errors
    /// When `namespace` is no network namespace.
    pub fn ensure_nsid(&mut self, namespace: BorrowedFd<'_>) -> Result<i32, Error> {
        if let Some(nsid) = self.find_nsid(namespace)? {
            return Ok(nsid);
        }
        let label = Label::new("number a namespace", "");
        let mut batch = Batch::new();
        // -1: the kernel chooses.
        let ticket = batch.assign_nsid(label.clone(), &nsid(namespace, Some(-1)));
        let replies = self.run_each(batch)?;
        match replies.refused(ticket) {
            // Somebody else was quicker: so it has a number.
            Some(refused) if !refused.is_exists() => return Err(refused.clone().into()),
            _ => {}
        }
        self.find_nsid(namespace)?.ok_or(Error::Malformed { label, lacks: "a number" })
    }
}

fn question(wanted: LinkName<'_>) -> LinkMessage {
    let mut message = LinkMessage::default();
    match wanted {
        LinkName::Name(name) => message.attributes.push(LinkAttribute::IfName(name.to_string())),
        LinkName::Index(index) => message.header.index = index,
        LinkName::Alternative(name) => {
            let mut value = name.as_bytes().to_vec();
            value.push(0);
            message.attributes.push(LinkAttribute::Other(DefaultNla::new(IFLA_ALT_IFNAME, value)));
        }
    }
    // Counters are half of an answer, and nobody here asks for them.
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    message
}

fn nsid(namespace: BorrowedFd<'_>, wanted: Option<i32>) -> NsidMessage {
    let mut message = NsidMessage::default();
    message.attributes.push(NsidAttribute::Fd(namespace.as_raw_fd().cast_unsigned()));
    message.attributes.extend(wanted.map(NsidAttribute::Id));
    message
}
