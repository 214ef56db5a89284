//! An element of a set: its key, the end of its range, and its comment.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use vocab::{InterfaceName, MacAddress};

use crate::wire;

/// The most bytes that `nft` accepts in a comment when it reads a ruleset back (`nft list` prints more).
pub(crate) const COMMENT_MAX: usize = 127;

/// `IFNAMSIZ`: an interface's name in a key, filled up with zeros.
const NAME_LEN: usize = 16;
/// `NFTNL_UDATA_SET_ELEM_COMMENT`; the same number means a comment on chains and rules.
const UDATA_COMMENT: u8 = 0;
/// A number that libnftables does not use, and passes over: what only we read.
const UDATA_NOTE: u8 = 0x4e;
/// What the kernel keeps with an element. `NFT_USERDATA_MAXLEN` is 256, but together with the byte that says how long they
/// are they are counted in one byte (`nft_set_ext_check`): 255 and 256 are refused with EINVAL since Linux 6.0.
const USERDATA_MAX: usize = 254;

/// `NFTA_SET_ELEM_LIST_ELEMENTS`, `NFTA_LIST_ELEM` and what is inside of it.
const LIST_ELEMENTS: u16 = 3;
const LIST_ELEM: u16 = 1;
const ELEM_KEY: u16 = 1;
const ELEM_DATA: u16 = 2;
const ELEM_USERDATA: u16 = 6;
const ELEM_KEY_END: u16 = 10;
const DATA_VALUE: u16 = 1;

/// An element as the kernel keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) key: Vec<u8>,
    /// The last key of its range, in sets of ranges.
    pub(crate) key_end: Option<Vec<u8>>,
    /// What the key leads to, in maps.
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) userdata: Vec<u8>,
}

impl Element {
    /// An element of that key, and nothing else.
    pub(crate) const fn of_key(key: Vec<u8>) -> Self {
        Self { key, key_end: None, data: None, userdata: Vec::new() }
    }

    /// An interface.
    pub(crate) fn interface(interface: &InterfaceName) -> Self {
        Self::of_key(interface_key(interface))
    }

    /// An interface, twice.
    pub(crate) fn interface_pair(interface: &InterfaceName) -> Self {
        let mut key = interface_key(interface);
        key.extend_from_within(..);
        Self::of_key(key)
    }

    /// An interface and an address.
    pub(crate) fn interface_address(interface: &InterfaceName, address: IpAddr) -> Self {
        let mut key = interface_key(interface);
        extend_with_address(&mut key, address);
        Self::of_key(key)
    }

    /// Addresses, one after the other.
    pub(crate) fn addresses<const N: usize>(addresses: [IpAddr; N]) -> Self {
        let mut key = Vec::with_capacity(16 * N);
        addresses.into_iter().for_each(|address| extend_with_address(&mut key, address));
        Self::of_key(key)
    }

    /// An interface and a MAC address.
    pub(crate) fn interface_mac(interface: &InterfaceName, mac: MacAddress) -> Self {
        let mut key = interface_key(interface);
        key.extend(mac.bytes());
        // Every part of a key begins at a multiple of four.
        key.extend([0, 0]);
        Self::of_key(key)
    }

    /// An interface and all addresses of a subnet.
    pub(crate) fn interface_subnet(interface: &InterfaceName, subnet: IpNetwork) -> Self {
        let ends = match subnet {
            IpNetwork::V4(v4) => [IpAddr::V4(v4.network()), IpAddr::V4(v4.broadcast())],
            IpNetwork::V6(v6) => [IpAddr::V6(v6.network()), IpAddr::V6(v6.broadcast())],
        };
        let [key, end] = ends.map(|address| {
            let mut key = interface_key(interface);
            extend_with_address(&mut key, address);
            key
        });
        Self { key_end: Some(end), ..Self::of_key(key) }
    }

    /// The same with a comment.
    pub(crate) fn with_comment(mut self, comment: &str) -> Self {
        self.userdata = comment_userdata(comment);
        self
    }

    /// Its comment.
    pub(crate) fn comment(&self) -> Option<&str> {
        comment(&self.userdata)
    }

    /// The interface that its key begins with.
    pub(crate) fn to_interface(&self) -> Option<InterfaceName> {
        InterfaceName::new(wire::text(self.key.get(..NAME_LEN)?)?).ok()
    }

    /// The MAC address behind the interface.
    pub(crate) fn to_mac(&self) -> Option<MacAddress> {
        let bytes = self.key.get(NAME_LEN..NAME_LEN + 6)?;
        Some(MacAddress::new(bytes.try_into().ok()?))
    }

    /// The subnet behind the interface, unless the range is none.
    pub(crate) fn to_subnet(&self) -> Option<IpNetwork> {
        let [first, last] =
            [self.key.get(NAME_LEN..)?, self.key_end.as_ref()?.get(NAME_LEN..)?].map(read_address);
        let (first, last) = (first?, last?);
        let differing = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => 32 - (first.to_bits() ^ last.to_bits()).leading_zeros(),
            (IpAddr::V6(first), IpAddr::V6(last)) => 128 - (first.to_bits() ^ last.to_bits()).leading_zeros(),
            _ => return None,
        };
        let width = if first.is_ipv4() { 32 } else { 128 };
        let subnet = IpNetwork::new(first, (width - differing) as u8).ok()?;
        (subnet.network() == first && subnet.broadcast() == last).then_some(subnet)
    }

    /// The elements in an answer to a request for some.
    pub(crate) fn parse_list(answer: &[u8]) -> Vec<Self> {
        let list = wire::attribute(answer, LIST_ELEMENTS).unwrap_or_default();
        let elements = wire::attributes(list).filter(|(kind, _)| *kind == LIST_ELEM);
        elements.filter_map(|(_, attributes)| Self::parse(attributes)).collect()
    }

    fn parse(attributes: &[u8]) -> Option<Self> {
        let key = wire::nested(attributes, &[ELEM_KEY, DATA_VALUE])?.to_vec();
        let key_end = wire::nested(attributes, &[ELEM_KEY_END, DATA_VALUE]).map(<[u8]>::to_vec);
        let data = wire::nested(attributes, &[ELEM_DATA, DATA_VALUE]).map(<[u8]>::to_vec);
        let userdata = wire::attribute(attributes, ELEM_USERDATA).unwrap_or_default().to_vec();
        Some(Self { key, key_end, data, userdata })
    }
}

pub(crate) fn extend_with_address(bytes: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => bytes.extend(v4.octets()),
        IpAddr::V6(v6) => bytes.extend(v6.octets()),
    }
}

pub(crate) fn read_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => None,
    }
}

fn interface_key(interface: &InterfaceName) -> Vec<u8> {
    let mut key = Vec::with_capacity(2 * NAME_LEN);
    key.extend(interface.as_str().as_bytes());
    key.resize(NAME_LEN, 0);
    key
}

/// A comment as libnftables packs it: type, length, text, zero. Longer ones are cut at [`COMMENT_MAX`].
pub(crate) fn comment_userdata(comment: &str) -> Vec<u8> {
    let text = &comment.as_bytes()[..comment.len().min(COMMENT_MAX)];
    let mut userdata = vec![UDATA_COMMENT, text.len() as u8 + 1];
    userdata.extend(text);
    userdata.push(0);
    userdata
}

/// The comment among what libnftables or we packed.
pub(crate) fn comment(userdata: &[u8]) -> Option<&str> {
    wire::text(packed(userdata, UDATA_COMMENT)?)
}

/// The note among what we packed.
pub(crate) fn note(userdata: &[u8]) -> Option<&[u8]> {
    packed(userdata, UDATA_NOTE)
}

/// How long a note may be behind what is there.
pub(crate) fn note_room(userdata: &[u8]) -> usize {
    USERDATA_MAX.saturating_sub(userdata.len() + 2).min(u8::MAX.into())
}

/// Packs a note, which [`note_room`] must have room for, behind what is there.
pub(crate) fn push_note(userdata: &mut Vec<u8>, note: &[u8]) {
    let note = &note[..note.len().min(note_room(userdata))];
    userdata.extend([UDATA_NOTE, note.len() as u8]);
    userdata.extend(note);
}

/// The first of that kind: type, length, value, one after the other.
fn packed(mut userdata: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [kind, length, rest @ ..] = userdata {
        let (value, others) = rest.split_at_checked(usize::from(*length))?;
        if *kind == wanted {
            return Some(value);
        }
        userdata = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cni0() -> InterfaceName {
        InterfaceName::new("cni0").unwrap()
    }

    #[test]
    fn a_comment_is_packed_as_libnftables_packs_it() {
        assert_eq!(comment_userdata("mynet"), b"\x00\x06mynet\x00");
        assert_eq!(comment(b"\x00\x06mynet\x00"), Some("mynet"));
        assert_eq!(comment_userdata(&"x".repeat(500)).len(), COMMENT_MAX + 3);
    }

    #[test]
    fn a_comment_is_found_behind_other_data() {
        assert_eq!(comment(b"\x01\x04\x00\x00\x00\x01\x00\x02a\x00"), Some("a"));
        for torn in [&b""[..], b"\x00", b"\x00\x05ab", b"\x01\x00", b"\x00\x02\xff\x00"] {
            assert_eq!(comment(torn), None, "{torn:?}");
        }
    }

    #[test]
    fn a_subnet_is_a_range_of_keys() {
        let element = Element::interface_subnet(&cni0(), "10.22.3.4/16".parse().unwrap());
        assert_eq!(element.key, b"cni0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\x16\x00\x00");
        assert_eq!(element.key_end.as_deref(), Some(&b"cni0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\x16\xff\xff"[..]));
        let v6 = Element::interface_subnet(&cni0(), "fd22::/64".parse().unwrap());
        assert_eq!((v6.key.len(), v6.key_end.map(|end| end[24..] == [0xff; 8])), (32, Some(true)));
    }

    #[test]
    fn a_mac_address_is_padded_to_a_multiple_of_four() {
        let element = Element::interface_mac(&cni0(), MacAddress::new([2, 0x42, 0xac, 0x11, 0, 2]));
        assert_eq!(element.key, b"cni0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x42\xac\x11\x00\x02\x00\x00");
        assert_eq!(element.to_mac().unwrap().to_string(), "02:42:ac:11:00:02");
    }

    #[test]
    fn what_a_key_was_made_of_is_read_back() {
        for subnet in ["10.22.0.0/16", "10.0.0.1/32", "0.0.0.0/0", "fd22::/64", "::/0", "fd00::1/128"] {
            let subnet: IpNetwork = subnet.parse().unwrap();
            let element = Element::interface_subnet(&cni0(), subnet);
            assert_eq!((element.to_interface(), element.to_subnet()), (Some(cni0()), Some(subnet)));
        }
    }

    #[test]
    fn a_range_that_is_no_subnet_is_none() {
        let mut element = Element::interface_subnet(&cni0(), "10.22.0.0/16".parse().unwrap());
        element.key_end.as_mut().unwrap()[18] = 0xfe;
        assert_eq!(element.to_subnet(), None);
        element.key_end = None;
        assert_eq!(element.to_subnet(), None);
    }
}
