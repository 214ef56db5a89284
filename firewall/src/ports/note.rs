//! What an attachment notes of its own elements, so that they are found again without listing anybody's.
//!
//! It stands in the element of the attachment in the set `publishers`, behind the comment, where `nft` passes it over.
//! Without it (a ruleset that was saved and put back by `nft`), or where it had no room for everything, the maps are
//! listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vocab::{Attachment, InterfaceName, Port, Protocol};

use super::claim::{Claim, Family, HostPort};
use super::{MasqueradeClients, Publication};
use crate::element::{self, Element, extend_with_address};
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::sets::{
    HAIRPIN4, HAIRPIN6, LOCALHOST4, LOOPED4, LOOPED6, MASQUERADE_TO4, MASQUERADE_TO6,
};

/// An element and the set that it is in.
pub(super) type Placed = (&'static Set, Element);

/// The sets that tell who is masqueraded.
pub(super) const CLIENT_SETS: [&Set; 7] =
    [&HAIRPIN4, &HAIRPIN6, &LOOPED4, &LOOPED6, &LOCALHOST4, &MASQUERADE_TO4, &MASQUERADE_TO6];

/// The form of the bytes; another form is not read.
const FORM: u8 = 1;
/// In the second byte: who is masqueraded, which addresses there are, and whether all ports had room.
const CLIENTS: u8 = 0b0011;
const HAS_V4: u8 = 0b0100;
const HAS_V6: u8 = 0b1000;
const IS_WHOLE: u8 = 0b1_0000;
/// In the first byte of a run of ports.
const RUN_V6: u8 = 0b0001;
const RUN_ADDRESS: u8 = 0b0010;
const RUN_PROTOCOL: u8 = 2;

/// What an attachment has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) interface: InterfaceName,
    pub(super) v4: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
    pub(super) masquerade: MasqueradeClients,
    /// In their order.
    pub(super) hosts: Vec<HostPort>,
    /// Whether these are all of its ports.
    pub(super) is_whole: bool,
}

impl Note {
    pub(super) fn new(publication: &Publication<'_>, claims: &[Claim]) -> Self {
        let all = Self {
            interface: publication.interface.clone(),
            v4: publication.v4,
            v6: publication.v6,
            masquerade: publication.masquerade,
            hosts: Vec::new(),
            is_whole: true,
        };
        all.with(claims)
    }

    /// The same for some of the ports.
    pub(super) fn with(&self, claims: &[Claim]) -> Self {
        let has = |family| claims.iter().any(|claim| claim.host.family == family);
        let mut hosts: Vec<_> = claims.iter().map(|claim| claim.host).collect();
        hosts.sort_unstable();
        let (v4, v6) = (self.v4.filter(|_| has(Family::V4)), self.v6.filter(|_| has(Family::V6)));
        Self { v4, v6, hosts, ..self.clone() }
    }

    /// The elements that tell who is masqueraded. Those for a container that is its own client, and for 127.0.0.1, are
    /// there whatever ports it has: they are about packets that came for one of them only.
    pub(super) fn clients(&self) -> Vec<Placed> {
        if self.masquerade == MasqueradeClients::Never {
            return Vec::new();
        }
        let mut placed: Vec<Placed> = Vec::with_capacity(7);
        let always = self.masquerade == MasqueradeClients::Always;
        if let Some(v4) = self.v4.map(IpAddr::V4) {
            placed.push((&HAIRPIN4, Element::interface_address(&self.interface, v4)));
            placed.push((&LOOPED4, Element::addresses([v4, v4])));
            placed.push((&LOCALHOST4, Element::addresses([v4])));
            placed.extend(always.then(|| (&MASQUERADE_TO4, Element::addresses([v4]))));
        }
        if let Some(v6) = self.v6.map(IpAddr::V6) {
            placed.push((&HAIRPIN6, Element::interface_address(&self.interface, v6)));
            placed.push((&LOOPED6, Element::addresses([v6, v6])));
            placed.extend(always.then(|| (&MASQUERADE_TO6, Element::addresses([v6]))));
        }
        placed
    }

    /// The key under which an attachment's note is found, without the note.
    pub(super) fn place(attachment: &Attachment) -> Element {
        Element::interface(&attachment.host_interface(0))
    }

    /// The element that bears the note.
    pub(super) fn element(&self, attachment: &Attachment, owner: &Owner) -> Element {
        let mut element = Self::place(attachment).with_comment(owner.as_str());
        let room = element::note_room(&element.userdata);
        element::push_note(&mut element.userdata, &self.encode(room));
        element
    }

    /// The note that an element bears.
    pub(super) fn read(element: &Element) -> Option<Self> {
        Self::decode(element::note(&element.userdata)?)
    }

    fn encode(&self, room: usize) -> Vec<u8> {
        let clients = match self.masquerade {
            MasqueradeClients::Never => 0,
            MasqueradeClients::WhereNeeded => 1,
            MasqueradeClients::Always => 2,
        };
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let addresses = flag(self.v4.is_some(), HAS_V4) | flag(self.v6.is_some(), HAS_V6);
        let name = self.interface.as_str().as_bytes();
        let mut bytes = vec![FORM, clients | addresses | flag(self.is_whole, IS_WHOLE), name.len() as u8];
        bytes.extend(name);
        self.v4.into_iter().for_each(|v4| bytes.extend(v4.octets()));
        self.v6.into_iter().for_each(|v6| bytes.extend(v6.octets()));
        for run in runs(&self.hosts) {
            if bytes.len() + run.len() > room {
                bytes[1] &= !IS_WHOLE;
                break;
            }
            bytes.extend(run);
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [form, flags, name_len] = reader.take(3)?.try_into().ok()?;
        let interface = std::str::from_utf8(reader.take(name_len.into())?).ok()?;
        let masquerade = match flags & CLIENTS {
            0 => MasqueradeClients::Never,
            1 => MasqueradeClients::WhereNeeded,
            2 => MasqueradeClients::Always,
            _ => return None,
        };
        let v4 = if flags & HAS_V4 == 0 { None } else { Some(Ipv4Addr::from(reader.array::<4>()?)) };
        let v6 = if flags & HAS_V6 == 0 { None } else { Some(Ipv6Addr::from(reader.array::<16>()?)) };
        let mut hosts = Vec::new();
        while !reader.0.is_empty() {
            read_run(&mut reader, &mut hosts)?;
        }
        let interface = InterfaceName::new(interface).ok()?;
        let is_whole = flags & IS_WHOLE != 0;
        (form == FORM).then_some(Self { interface, v4, v6, masquerade, hosts, is_whole })
    }
}

/// Neighbouring ports are written as one run: flags, the address if there is one, the first port, how many follow.
fn runs(hosts: &[HostPort]) -> impl Iterator<Item = Vec<u8>> {
    hosts.chunk_by(|one, next| next.port.get() == one.port.get().wrapping_add(1) && is_alike(one, next)).map(
        |run| {
            let first = run[0];
            let protocol = Protocol::ALL.iter().position(|protocol| *protocol == first.protocol);
            let mut flags = (protocol.unwrap_or_default() as u8) << RUN_PROTOCOL;
            flags |= if first.family == Family::V6 { RUN_V6 } else { 0 };
            flags |= if first.address.is_some() { RUN_ADDRESS } else { 0 };
            let mut bytes = vec![flags];
            first.address.into_iter().for_each(|address| extend_with_address(&mut bytes, address));
            bytes.extend(first.port.get().to_be_bytes());
            bytes.extend((run.len() as u16 - 1).to_be_bytes());
            bytes
        },
    )
}

fn is_alike(one: &HostPort, other: &HostPort) -> bool {
    HostPort { port: other.port, ..*one } == *other
}

fn read_run(reader: &mut Reader<'_>, hosts: &mut Vec<HostPort>) -> Option<()> {
    let [flags] = reader.array()?;
    let family = if flags & RUN_V6 == 0 { Family::V4 } else { Family::V6 };
    let address = match (flags & RUN_ADDRESS, family) {
        (0, _) => None,
        (_, Family::V4) => Some(IpAddr::from(reader.array::<4>()?)),
        (_, Family::V6) => Some(IpAddr::from(reader.array::<16>()?)),
    };
    let protocol = *Protocol::ALL.get(usize::from(flags >> RUN_PROTOCOL))?;
    let first = u16::from_be_bytes(reader.array()?);
    let more = u16::from_be_bytes(reader.array()?);
    let last = first.checked_add(more)?;
    for port in first..=last {
        hosts.push(HostPort { family, address, protocol, port: Port::new(port)? });
    }
    Some(())
}

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::PortRange;

    fn hosts(family: Family, address: Option<&str>, ports: &str) -> Vec<HostPort> {
        let address = address.map(|address| address.parse().unwrap());
        let ports: PortRange = ports.parse().unwrap();
        ports.ports().map(|port| HostPort { family, address, protocol: Protocol::Udp, port }).collect()
    }

    fn note(hosts: Vec<HostPort>) -> Note {
        Note {
            interface: InterfaceName::new("br0").unwrap(),
            v4: Some([10, 1, 0, 2].into()),
            v6: Some("fd00::2".parse().unwrap()),
            masquerade: MasqueradeClients::Always,
            hosts,
            is_whole: true,
        }
    }

    fn attachment() -> Attachment {
        Attachment::new("web".parse().unwrap(), "eth0".parse().unwrap())
    }

    #[test]
    fn a_note_is_read_back_from_its_element() {
        let mut ports = hosts(Family::V4, None, "8000-8999");
        ports.extend(hosts(Family::V4, Some("127.0.0.1"), "80"));
        ports.extend(hosts(Family::V6, None, "8000-8999"));
        ports.extend(hosts(Family::V6, Some("fd99::1"), "65535"));
        let note = note(ports);
        let owner = Owner::from_comment(&"x".repeat(100));
        let element = note.element(&attachment(), &owner);
        assert_eq!(Note::read(&element), Some(note.clone()));
        assert_eq!(element.comment(), Some(owner.as_str()));
        let bare = Note { v4: None, v6: None, masquerade: MasqueradeClients::Never, hosts: vec![], ..note };
        assert_eq!(Note::read(&bare.element(&attachment(), &owner)), Some(bare));
    }

    #[test]
    fn ports_that_have_no_room_are_known_to_be_missing() {
        let every_other = (1..200).map(|number| hosts(Family::V4, None, &(2 * number).to_string())[0]);
        let note = note(every_other.collect());
        let element = note.element(&attachment(), &Owner::from_comment("net/web/eth0"));
        assert!(element.userdata.len() <= 254);
        let read = Note::read(&element).unwrap();
        assert!(!read.is_whole && read.hosts.len() > 20 && note.hosts.starts_with(&read.hosts));
    }

    #[test]
    fn broken_notes_are_none() {
        let whole = note(hosts(Family::V4, Some("127.0.0.1"), "80-90")).encode(200);
        for length in 0..whole.len() {
            // Between two runs it is whole, too; there is one run here.
            let is_whole = Note::decode(&whole[..length]).is_some_and(|note| !note.hosts.is_empty());
            assert!(!is_whole, "{length}");
        }
        for (position, byte) in [(0, 9), (1, 0xff), (2, 200)] {
            let mut broken = whole.clone();
            broken[position] = byte;
            assert_eq!(Note::decode(&broken), None, "{position}");
        }
    }

    #[test]
    fn who_is_masqueraded_follows_from_addresses_and_wish() {
        let names = |masquerade, v4: bool| {
            let note = Note { masquerade, ..note(vec![]) };
            let note = if v4 { note } else { Note { v4: None, ..note } };
            note.clients().iter().map(|(set, _)| set.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(MasqueradeClients::Never, true), "");
        assert_eq!(
            names(MasqueradeClients::WhereNeeded, true),
            "hairpin4 looped4 localhost4 hairpin6 looped6"
        );
        assert_eq!(names(MasqueradeClients::Always, false), "hairpin6 looped6 masquerade_to6");
    }
}
