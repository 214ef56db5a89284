//! Parts that messages about links share.

use netlink::packet::link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use vocab::{InterfaceName, MacAddress};

/// A message about the link of that number.
pub(crate) fn numbered(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

/// A message about the link of that name.
pub(crate) fn named(name: &InterfaceName) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_string()));
    message
}

/// Switches `flags` on, and leaves the others as they are.
pub(crate) fn switch_on(message: &mut LinkMessage, flags: LinkFlags) {
    message.header.flags |= flags;
    message.header.change_mask |= flags;
}

/// Switches `flags` off, and leaves the others as they are.
pub(crate) fn switch_off(message: &mut LinkMessage, flags: LinkFlags) {
    message.header.flags &= !flags;
    message.header.change_mask |= flags;
}

pub(crate) fn mac(address: MacAddress) -> LinkAttribute {
    LinkAttribute::Address(address.bytes().to_vec())
}

pub(crate) fn info(infos: Vec<LinkInfo>) -> LinkAttribute {
    LinkAttribute::LinkInfo(infos)
}
