//! Messages about addresses.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use netlink::packet::AddressFamily;
use netlink::packet::address::{AddressAttribute, AddressFlags, AddressMessage};

/// A prefix beyond which an IPv4 network has no broadcast address (RFC 3021).
const LONGEST_PREFIX_WITH_BROADCAST: u8 = 30;

/// Whether the kernel first asks around whether somebody else has an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    Skip,
    Wait,
}

pub(crate) const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

/// An address to be added to a link.
pub(crate) fn own(index: u32, network: &IpNetwork, detection: Detection) -> AddressMessage {
    let mut message = bare(index, network);
    match network {
        IpNetwork::V4(v4) if v4.prefix() <= LONGEST_PREFIX_WITH_BROADCAST => {
            message.attributes.push(AddressAttribute::Broadcast(v4.broadcast()));
        }
        IpNetwork::V6(_) if detection == Detection::Skip => {
            message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        _ => {}
    }
    message
}

/// An address with nothing but what identifies it.
pub(crate) fn bare(index: u32, network: &IpNetwork) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(network.ip());
    message.header.prefix_len = network.prefix();
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Local(network.ip()), AddressAttribute::Address(network.ip())];
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(text: &str, detection: Detection) -> Vec<AddressAttribute> {
        own(2, &text.parse().unwrap(), detection).attributes
    }

    #[test]
    fn an_ipv4_address_has_a_broadcast_address_where_there_is_room_for_one() {
        let broadcast = |text: &str| attributes(text, Detection::Skip).into_iter().nth(2);
        let last = |bytes: [u8; 4]| Some(AddressAttribute::Broadcast(bytes.into()));
        assert_eq!(broadcast("10.1.2.3/16"), last([10, 1, 255, 255]));
        assert_eq!(broadcast("10.1.2.5/30"), last([10, 1, 2, 7]));
        assert_eq!(broadcast("10.1.2.3/31"), None);
        assert_eq!(broadcast("10.1.2.3/32"), None);
    }

    #[test]
    fn an_ipv6_address_is_usable_at_once_unless_detection_is_wanted() {
        let flags = |detection| attributes("fd00::2/64", detection).into_iter().nth(2);
        assert_eq!(flags(Detection::Skip), Some(AddressAttribute::Flags(AddressFlags::Nodad)));
        assert_eq!(flags(Detection::Wait), None);
    }
}
