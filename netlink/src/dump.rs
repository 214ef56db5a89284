//! Lists: links, addresses, routes.

use std::ops::ControlFlow;

use netlink_packet_core::{Emitable, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage};
use nix::libc;

use crate::frame::{self, Messages};
use crate::{Address, Error, Label, Link, Refused, Route, RouteSocket};

/// On a host where containers come and go all the time any reading may be disturbed, but hardly that many in a row.
const ATTEMPTS: u32 = 64;

impl RouteSocket {
    /// Every link of the namespace.
    ///
    /// # Errors
    /// When the kernel refuses, or the list never holds still.
    pub fn links(&mut self) -> Result<Vec<Link>, Error> {
        self.list(
            &Label::new("list links", ""),
            libc::RTM_GETLINK,
            &links(None),
            libc::RTM_NEWLINK,
            Link::read,
        )
    }

    /// The first link found that `wanted` accepts, of all or of those that are ports of `controller`. The rest of
    /// the list is not read.
    ///
    /// # Errors
    /// As with [`links`](Self::links).
    pub fn find_first_link(
        &mut self,
        controller: Option<u32>,
        mut wanted: impl FnMut(&Link) -> bool,
    ) -> Result<Option<Link>, Error> {
        let label = Label::new("list links", "");
        let mut found = None;
        self.dump(&label, libc::RTM_GETLINK, &links(controller), |heard| {
            let Heard::Message(libc::RTM_NEWLINK, body) = heard else { return ControlFlow::Continue(()) };
            // A kernel that does not filter sends the others, too.
            found = Link::read(body)
                .filter(|link| controller.is_none_or(|index| link.controller == Some(index)) && wanted(link));
            if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(found)
    }

    /// The addresses of one link, IPv4 first.
    ///
    /// # Errors
    /// A refusal that [`is_missing`](Error::is_missing), when there is no such link.
    pub fn addresses_of(&mut self, index: u32) -> Result<Vec<Address>, Error> {
        let mut all = self.list_addresses(AddressFamily::Inet, index)?;
        all.append(&mut self.list_addresses(AddressFamily::Inet6, index)?);
        Ok(all)
    }

    /// The addresses of one family, of one link.
    ///
    /// # Errors
    /// As with [`addresses_of`](Self::addresses_of).
    pub fn list_addresses(&mut self, family: AddressFamily, index: u32) -> Result<Vec<Address>, Error> {
        let mut message = AddressMessage::default();
        message.header.family = family;
        message.header.index = index;
        let label = Label::new("list the addresses of link number", index);
        let mut all = self.list(&label, libc::RTM_GETADDR, &message, libc::RTM_NEWADDR, Address::read)?;
        all.retain(|address| address.index == index);
        Ok(all)
    }

    /// Every address of the namespace.
    ///
    /// # Errors
    /// When the kernel refuses, or the list never holds still.
    pub fn addresses(&mut self) -> Result<Vec<Address>, Error> {
        let label = Label::new("list addresses", "");
        self.list(&label, libc::RTM_GETADDR, &AddressMessage::default(), libc::RTM_NEWADDR, Address::read)
    }

    /// The routes over one link, in every table, IPv4 first: only those along which packets go.
    ///
    /// # Errors
    /// As with [`links`](Self::links).
    pub fn routes_of(&mut self, index: u32) -> Result<Vec<Route>, Error> {
        let label = Label::new("list the routes of link number", index);
        let mut all = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut message = RouteMessage::default();
            message.header.address_family = family;
            message.attributes.push(RouteAttribute::Oif(index));
            all.append(&mut self.list(
                &label,
                libc::RTM_GETROUTE,
                &message,
                libc::RTM_NEWROUTE,
                Route::read,
            )?);
        }
        all.retain(|route| route.hops.iter().any(|hop| hop.index == Some(index)));
        Ok(all)
    }

    /// Every route of a family, in every table: only those along which packets go.
    ///
    /// # Errors
    /// As with [`links`](Self::links).
    pub fn routes(&mut self, family: AddressFamily) -> Result<Vec<Route>, Error> {
        self.routes_as(family, Route::read)
    }

    /// Every route of a family, in every table, on which packets end: `blackhole`, `unreachable` and `prohibit`. None has
    /// a [hop](Route::hops).
    ///
    /// # Errors
    /// As with [`links`](Self::links).
    pub fn dead_ends(&mut self, family: AddressFamily) -> Result<Vec<Route>, Error> {
        self.routes_as(family, Route::read_dead_end)
    }

    fn routes_as(
        &mut self,
        family: AddressFamily,
        read: fn(&[u8]) -> Option<Route>,
    ) -> Result<Vec<Route>, Error> {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        let label = Label::new("list routes", "");
        self.list(&label, libc::RTM_GETROUTE, &message, libc::RTM_NEWROUTE, read)
    }

    fn list<T>(
        &mut self,
        label: &Label,
        kind: u16,
        body: &impl Emitable,
        answer: u16,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        self.dump(label, kind, body, |heard| {
            match heard {
                Heard::Begin => all.clear(),
                Heard::Message(kind, body) if kind == answer => all.extend(read(body)),
                Heard::Message(..) => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// Reads a list until `hear` has had enough, again from the start whenever the list changed meanwhile.
    fn dump(
        &mut self,
        label: &Label,
        kind: u16,
        body: &impl Emitable,
        mut hear: impl FnMut(Heard<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let _ = hear(Heard::Begin);
            match self.dump_once(label, kind, body, &mut hear)? {
                Reading::Steady => return Ok(()),
                Reading::Disturbed => {}
            }
        }
        Err(Error::Unsteady { label: label.clone(), attempts: ATTEMPTS })
    }

    fn dump_once(
        &mut self,
        label: &Label,
        kind: u16,
        body: &impl Emitable,
        hear: &mut impl FnMut(Heard<'_>) -> ControlFlow<()>,
    ) -> Result<Reading, Error> {
        self.finish_dump(label)?;
        let sequence = self.next_sequence();
        let mut request = Vec::new();
        frame::append(&mut request, kind, NLM_F_REQUEST | NLM_F_DUMP, body);
        frame::number(&mut request, sequence);
        self.send(&request, label)?;
        let mut reading = Reading::Steady;
        let mut enough = false;
        loop {
            self.receive(label)?;
            for message in Messages(&self.buffer).filter(|message| message.sequence == sequence) {
                if message.flags & NLM_F_DUMP_INTR != 0 {
                    reading = Reading::Disturbed;
                }
                match message.verdict() {
                    Some(Ok(())) => return Ok(reading),
                    Some(Err((errno, explanation))) => {
                        return Err(Refused { label: label.clone(), errno, explanation }.into());
                    }
                    None => {}
                }
                // Even then the messages at hand are looked through: the end may be among them.
                enough = enough || hear(Heard::Message(message.kind, message.body)).is_break();
            }
            if enough {
                self.unfinished = Some(sequence);
                return Ok(Reading::Steady);
            }
        }
    }

    /// Reads an earlier list, of which the rest was not wanted, to its end: before that the kernel begins no
    /// second one on the same socket. Other requests may overtake it.
    fn finish_dump(&mut self, label: &Label) -> Result<(), Error> {
        while self.unfinished.is_some() {
            self.receive(label)?;
        }
        Ok(())
    }
}

/// What a reader of a list hears.
enum Heard<'a> {
    /// The list begins, perhaps again.
    Begin,
    /// One entry.
    Message(u16, &'a [u8]),
}

enum Reading {
    Steady,
    Disturbed,
}

fn links(controller: Option<u32>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.extend(controller.map(LinkAttribute::Controller));
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    message
}
