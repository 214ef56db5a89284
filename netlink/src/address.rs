//! What the kernel says of an address.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use nix::libc;

use crate::attributes::{Attributes, u32_at};

/// Family, prefix length, flags, scope, index (`struct ifaddrmsg`).
const HEADER: usize = 8;
const INDEX: usize = 4;

/// An address of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The link it belongs to.
    pub index: u32,
    /// The address with the length of its prefix.
    pub network: IpNetwork,
    /// `RT_SCOPE_*`: 0 reaches everywhere, 253 this link, 254 this host.
    pub scope: u8,
    /// Whether it can be used.
    pub state: AddressState,
    /// It is a second IPv4 address in the prefix of an earlier one, and goes when that goes.
    pub is_secondary: bool,
}

/// How far duplicate address detection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressState {
    /// It can be used.
    Ready,
    /// The kernel still looks for somebody else who has it.
    Tentative,
    /// Somebody else has it.
    Duplicate,
}

impl Address {
    /// Reads a description; nothing, if the bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let [_family, prefix, flags, scope, ..] = *bytes.first_chunk::<HEADER>()?;
        let mut flags = u32::from(flags);
        let (mut local, mut address) = (None, None);
        for (kind, value) in Attributes::after(bytes, HEADER) {
            match kind {
                libc::IFA_LOCAL => local = value.ip(),
                libc::IFA_ADDRESS => address = value.ip(),
                libc::IFA_FLAGS => flags = value.u32()?,
                _ => {}
            }
        }
        // IFA_ADDRESS is the other end of a point-to-point link; then, and with IPv4 always, ours is IFA_LOCAL.
        let own: IpAddr = local.or(address)?;
        Some(Self {
            index: u32_at(bytes, INDEX)?,
            network: IpNetwork::new(own, prefix).ok()?,
            scope,
            state: state(flags),
            is_secondary: flags & libc::IFA_F_SECONDARY != 0 && own.is_ipv4(),
        })
    }
}

fn state(flags: u32) -> AddressState {
    match flags {
        _ if flags & libc::IFA_F_DADFAILED != 0 => AddressState::Duplicate,
        _ if flags & libc::IFA_F_TENTATIVE != 0 => AddressState::Tentative,
        _ => AddressState::Ready,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::Emitable;
    use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};

    fn read(attributes: Vec<AddressAttribute>) -> Option<Address> {
        let mut message = AddressMessage::default();
        message.header.index = 4;
        message.header.prefix_len = 24;
        message.attributes = attributes;
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        Address::read(&bytes)
    }

    #[test]
    fn our_end_of_a_point_to_point_link_is_the_local_one() {
        let ours = "10.1.0.2".parse().unwrap();
        let theirs = "10.1.0.1".parse().unwrap();
        let address = read(vec![AddressAttribute::Address(theirs), AddressAttribute::Local(ours)]).unwrap();
        assert_eq!(address.network.to_string(), "10.1.0.2/24");
        assert_eq!(address.state, AddressState::Ready);
    }

    #[test]
    fn a_duplicate_is_told_from_an_address_in_doubt() {
        let own = AddressAttribute::Address("fd00::2".parse().unwrap());
        let with = |flags| read(vec![own.clone(), AddressAttribute::Flags(flags)]).unwrap().state;
        assert_eq!(with(AddressFlags::Tentative), AddressState::Tentative);
        assert_eq!(with(AddressFlags::Tentative | AddressFlags::Dadfailed), AddressState::Duplicate);
        assert_eq!(read(vec![]), None);
    }
}
