//! Requests as bytes, made by hand: so small a part of rtnetlink that a library would only add to it.

use std::net::IpAddr;

pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_DELLINK: u16 = 17;
pub(crate) const RTM_GETLINK: u16 = 18;
pub(crate) const RTM_SETLINK: u16 = 19;
pub(crate) const RTM_NEWADDR: u16 = 20;
pub(crate) const RTM_NEWROUTE: u16 = 24;

/// The groups of announcements, as bits.
pub(crate) const GROUP_LINK: u32 = 1;
pub(crate) const GROUP_IPV6_ADDRESS: u32 = 0x100;

pub(crate) const IFLA_ADDRESS: u16 = 1;
pub(crate) const IFLA_IFNAME: u16 = 3;
pub(crate) const IFLA_LINK: u16 = 5;
pub(crate) const IFLA_MASTER: u16 = 10;
pub(crate) const IFLA_LINKINFO: u16 = 18;
pub(crate) const IFLA_NET_NS_FD: u16 = 28;
pub(crate) const IFLA_NUM_TX_QUEUES: u16 = 31;
pub(crate) const IFLA_NUM_RX_QUEUES: u16 = 32;
pub(crate) const IFLA_INFO_KIND: u16 = 1;
pub(crate) const IFLA_INFO_DATA: u16 = 2;
pub(crate) const VETH_INFO_PEER: u16 = 1;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_FLAGS: u16 = 8;
const IFA_F_NODAD: u32 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;

const NLM_F_REQUEST: u16 = 1;
pub(crate) const NLM_F_ACK: u16 = 4;
pub(crate) const NLM_F_ECHO: u16 = 8;
const NLM_F_CREATE_EXCL: u16 = 0x600;

const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const HEADER: usize = 16;
const IFINFO: usize = 16;

/// A message under construction, or one that was received.
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    fn new(kind: u16, flags: u16, body: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        bytes.extend_from_slice(body);
        Self { bytes }
    }

    /// About a link, which is named by an index or an attribute.
    pub(crate) fn link(kind: u16, flags: u16, index: u32) -> Self {
        Self::new(kind, flags, &ifinfo(index, false))
    }

    /// Makes a link that is up.
    pub(crate) fn new_link(flags: u16) -> Self {
        Self::new(RTM_NEWLINK, flags | NLM_F_CREATE_EXCL, &ifinfo(0, true))
    }

    /// Sets a link up.
    pub(crate) fn set_up(index: u32) -> Self {
        Self::new(RTM_SETLINK, 0, &ifinfo(index, true))
    }

    /// Gives a link an address, ready for use at once.
    pub(crate) fn new_address(index: u32, address: IpAddr, prefix: u8) -> Self {
        let mut body = vec![family(address), prefix, 0, 0];
        body.extend(index.to_ne_bytes());
        let message = Self::new(RTM_NEWADDR, NLM_F_CREATE_EXCL, &body);
        let message = message.address(IFA_LOCAL, address).address(IFA_ADDRESS, address);
        match address {
            IpAddr::V4(ipv4) => {
                let broadcast = ipv4.to_bits() | u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
                message.attribute(IFA_BROADCAST, &broadcast.to_be_bytes())
            }
            IpAddr::V6(_) => message.attribute(IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes()),
        }
    }

    /// Makes the way to everywhere lead over a gateway.
    pub(crate) fn new_default_route(index: u32, gateway: IpAddr) -> Self {
        const MAIN: u8 = 254;
        const BOOT: u8 = 3;
        const UNICAST: u8 = 1;
        let body = [family(gateway), 0, 0, 0, MAIN, BOOT, 0, UNICAST, 0, 0, 0, 0];
        Self::new(RTM_NEWROUTE, NLM_F_CREATE_EXCL, &body)
            .address(RTA_GATEWAY, gateway)
            .attribute(RTA_OIF, &index.to_ne_bytes())
    }

    /// With an attribute.
    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.append(kind, value);
        self
    }

    /// With a name, which ends with a zero byte.
    pub(crate) fn name(self, kind: u16, name: &str) -> Self {
        self.attribute(kind, &[name.as_bytes(), &[0]].concat())
    }

    fn address(self, kind: u16, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.attribute(kind, &address.octets()),
            IpAddr::V6(address) => self.attribute(kind, &address.octets()),
        }
    }

    fn append(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend(length(4 + value.len()));
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// The whole message, with the number by which its answer is known.
    pub(crate) fn numbered(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

/// What a peer in `VETH_INFO_PEER` begins with.
pub(crate) fn ifinfo(index: u32, up: bool) -> [u8; IFINFO] {
    let mut body = [0; IFINFO];
    body[4..8].copy_from_slice(&index.to_ne_bytes());
    if up {
        body[8..12].copy_from_slice(&IFF_UP.to_ne_bytes());
        body[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
    }
    body
}

/// Attributes in a row, to be the value of another one.
pub(crate) fn attributes<'a>(head: &[u8], values: impl IntoIterator<Item = (u16, &'a [u8])>) -> Vec<u8> {
    let mut message = Message { bytes: head.to_vec() };
    for (kind, value) in values {
        message.append(kind, value);
    }
    message.bytes
}

/// A message as it was received: without its padding.
#[derive(Clone, Copy)]
pub(crate) struct Reply<'a>(&'a [u8]);

impl<'a> Reply<'a> {
    /// The messages in a datagram.
    pub(crate) fn all(mut datagram: &'a [u8]) -> impl Iterator<Item = Reply<'a>> {
        std::iter::from_fn(move || {
            let length = usize::try_from(u32_at(datagram, 0)?).ok()?;
            let message = datagram.get(..length).filter(|message| message.len() >= HEADER)?;
            datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
            Some(Self(message))
        })
    }

    pub(crate) fn kind(self) -> u16 {
        u16::from_ne_bytes([self.0[4], self.0[5]])
    }

    pub(crate) fn sequence(self) -> u32 {
        u32_at(self.0, 8).unwrap_or(0)
    }

    /// The error number of an answer; 0 is success.
    pub(crate) fn errno(self) -> Option<i32> {
        (self.kind() == NLMSG_ERROR).then(|| u32_at(self.0, HEADER))?.map(|code| -code.cast_signed())
    }

    /// The address family of a link or address; 0 for a link that is not seen as a port of a bridge.
    pub(crate) fn family(self) -> u8 {
        self.0.get(HEADER).copied().unwrap_or(0)
    }

    /// The index of a link.
    pub(crate) fn link_index(self) -> u32 {
        u32_at(self.0, HEADER + 4).unwrap_or(0)
    }

    /// An attribute of a link.
    pub(crate) fn link_attribute(self, kind: u16) -> Option<&'a [u8]> {
        self.find(HEADER + IFINFO, kind)
    }

    /// Whether it announces this address.
    pub(crate) fn announces(self, address: IpAddr) -> bool {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        self.kind() == RTM_NEWADDR && self.find(HEADER + 8, IFA_ADDRESS) == Some(&octets)
    }

    fn find(self, start: usize, wanted: u16) -> Option<&'a [u8]> {
        let mut rest = self.0.get(start..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes([*rest.first()?, *rest.get(1)?]));
            let kind = u16::from_ne_bytes([*rest.get(2)?, *rest.get(3)?]);
            if kind == wanted {
                return rest.get(4..length);
            }
            rest = rest.get(length.next_multiple_of(4).max(4)..)?;
        }
    }
}

/// The number that an attribute holds.
pub(crate) fn number(value: &[u8]) -> Option<u32> {
    u32_at(value, 0)
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_ne_bytes()
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let four = bytes.get(offset..offset + 4)?;
    four.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_again_in_its_bytes() {
        let bytes = Message::link(RTM_GETLINK, NLM_F_ACK, 7).name(IFLA_IFNAME, "br0").numbered(9);
        assert_eq!(bytes.len(), 16 + 16 + 8);
        let two = [bytes.clone(), bytes].concat();
        let replies: Vec<_> = Reply::all(&two).collect();
        assert_eq!(replies.len(), 2);
        assert_eq!((replies[1].kind(), replies[1].sequence()), (RTM_GETLINK, 9));
        assert_eq!((replies[1].link_index(), replies[1].errno()), (7, None));
        assert_eq!(replies[1].link_attribute(IFLA_IFNAME), Some(&b"br0\0"[..]));
        assert_eq!(replies[1].link_attribute(IFLA_MASTER), None);
    }

    #[test]
    fn an_address_has_its_broadcast_address() {
        let bytes = Message::new_address(2, "10.1.2.3".parse().unwrap(), 16).numbered(0);
        assert!(bytes.windows(4).any(|four| four == [10, 1, 255, 255]));
    }

    #[test]
    fn a_torn_datagram_is_the_end() {
        assert_eq!(Reply::all(&[40, 0, 0, 0, 1]).count(), 0);
        assert_eq!(Reply::all(&[]).count(), 0);
    }
}
