//! The requests that make a bridge what it should be. Nothing is sent here.

use netlink::packet::link::{
    InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink::{Batch, Label};

use vocab::MacAddress;

use super::keeper::BEING_MADE;
use super::{BridgeFacts, BridgeSpec, Keeper};
use crate::message::{info, mac, named, numbered, switch_off, switch_on};

/// The message that makes the bridge. It is not up yet, and nobody's.
pub(super) fn create(spec: &BridgeSpec, address: MacAddress) -> LinkMessage {
    let mut message = named(&spec.name);
    message.attributes.push(mac(address));
    message.attributes.push(LinkAttribute::Group(BEING_MADE));
    message.attributes.extend(spec.mtu.map(LinkAttribute::Mtu));
    message.attributes.push(info(kind(spec)));
    message
}

/// What follows its creation. The alias would be ignored in the message that makes it.
pub(super) fn finish(spec: &BridgeSpec, index: u32) -> Batch {
    let mut message = numbered(index);
    switch_on(&mut message, flags(spec));
    message.attributes.extend(kept_by(&spec.keeper));
    let mut batch = Batch::new();
    batch.set_link(Label::new("switch on bridge", &spec.name), &message);
    batch
}

/// What makes it again what it was.
pub(super) fn restore(before: &BridgeFacts, now: &BridgeFacts) -> Batch {
    let mut batch = Batch::new();
    if (now.is_up, now.is_promiscuous) != (before.is_up, before.is_promiscuous) {
        let mut message = numbered(now.index);
        for (flag, was_on) in [(LinkFlags::Up, before.is_up), (LinkFlags::Promisc, before.is_promiscuous)] {
            if was_on { switch_on(&mut message, flag) } else { switch_off(&mut message, flag) }
        }
        batch.set_link(Label::new("switch back bridge", &now.name), &message);
    }
    if let Some(filtered) = before.vlan_filtering.filter(|_| now.vlan_filtering != before.vlan_filtering) {
        let mut message = numbered(now.index);
        let data = LinkInfo::Data(InfoData::Bridge(vec![InfoBridge::VlanFiltering(filtered)]));
        message.attributes.push(info(vec![LinkInfo::Kind(InfoKind::Bridge), data]));
        batch.change_link(Label::new("filter VLANs as before on bridge", &now.name), &message);
    }
    batch
}

/// The words that say who keeps it.
pub(super) fn hand_over(bridge: &BridgeFacts, keeper: &Keeper) -> Batch {
    let mut message = numbered(bridge.index);
    message.attributes.extend(kept_by(keeper));
    let mut batch = Batch::new();
    batch.set_link(Label::new("mark bridge", &bridge.name), &message);
    batch
}

/// Whose it is; it is in the group of all links again.
fn kept_by(keeper: &Keeper) -> [LinkAttribute; 2] {
    [LinkAttribute::IfAlias(keeper.alias().as_str().to_owned()), LinkAttribute::Group(0)]
}

/// What is left to do with a bridge that exists: nothing, as a rule.
pub(super) fn adjust(spec: &BridgeSpec, found: &BridgeFacts, pin_mac: bool) -> Batch {
    let mut batch = Batch::new();
    if spec.vlan_filtering && found.vlan_filtering != Some(true) {
        let mut message = numbered(found.index);
        message.attributes.push(info(kind(spec)));
        batch.change_link(Label::new("filter VLANs on bridge", &spec.name), &message);
    }
    let must_change = !found.is_up || (spec.promiscuous && !found.is_promiscuous) || pin_mac;
    if must_change {
        let mut message = numbered(found.index);
        switch_on(&mut message, flags(spec));
        // Given its own address, a bridge keeps it.
        message.attributes.extend(found.mac.filter(|_| pin_mac).map(mac));
        batch.set_link(Label::new("switch on bridge", &spec.name), &message);
    }
    batch
}

fn flags(spec: &BridgeSpec) -> LinkFlags {
    match spec.promiscuous {
        true => LinkFlags::Up | LinkFlags::Promisc,
        false => LinkFlags::Up,
    }
}

fn kind(spec: &BridgeSpec) -> Vec<LinkInfo> {
    let mut infos = vec![LinkInfo::Kind(InfoKind::Bridge)];
    if spec.vlan_filtering {
        infos.push(LinkInfo::Data(InfoData::Bridge(vec![InfoBridge::VlanFiltering(true)])));
    }
    infos
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::InterfaceName;

    const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);

    fn spec() -> BridgeSpec {
        BridgeSpec {
            name: InterfaceName::new("cni0").unwrap(),
            mtu: None,
            promiscuous: false,
            vlan_filtering: false,
            mac: None,
            keeper: Keeper::Containers,
        }
    }

    fn right() -> BridgeFacts {
        BridgeFacts {
            index: 3,
            name: spec().name,
            mac: Some(MAC),
            mtu: 1500,
            is_up: true,
            is_promiscuous: false,
            vlan_filtering: Some(false),
            alias: Some("netctl".to_owned()),
            is_being_made: false,
        }
    }

    #[test]
    fn a_bridge_that_is_right_is_left_alone() {
        assert!(adjust(&spec(), &right(), false).is_empty());
        let more = BridgeFacts { is_promiscuous: true, vlan_filtering: Some(true), ..right() };
        assert!(adjust(&spec(), &more, false).is_empty());
    }

    #[test]
    fn what_is_missing_is_added_and_nothing_else() {
        let down = BridgeFacts { is_up: false, ..right() };
        let header = |flags: &str, mask: &str| format!("0000000003000000{flags}{mask}");
        assert_eq!(
            format!("{:?}", adjust(&spec(), &down, false)),
            format!("switch on bridge cni0 type=19 flags=0x005 {}\n", header("01000000", "01000000"))
        );
        let promiscuous = BridgeSpec { promiscuous: true, ..spec() };
        assert_eq!(
            format!("{:?}", adjust(&promiscuous, &right(), false)),
            format!("switch on bridge cni0 type=19 flags=0x005 {}\n", header("01010000", "01010000"))
        );
        assert_eq!(
            format!("{:?}", adjust(&spec(), &right(), true)),
            format!(
                "switch on bridge cni0 type=19 flags=0x005 {}0a0001000200000000010000\n",
                header("01000000", "01000000")
            )
        );
    }

    #[test]
    fn vlan_filtering_goes_by_the_request_that_does_not_ignore_it() {
        let filtering = BridgeSpec { vlan_filtering: true, ..spec() };
        let batch = adjust(&filtering, &right(), false);
        assert_eq!(
            format!("{batch:?}"),
            "filter VLANs on bridge cni0 type=16 flags=0x005 00000000030000000000000000000000\
             1c0012000b00010062726964676500000c0002000500070001000000\n"
        );
    }

    #[test]
    fn a_bridge_is_made_with_its_own_address() {
        let message = create(&BridgeSpec { mtu: Some(1450), ..spec() }, MAC);
        assert!(message.attributes.contains(&LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1])));
        assert!(message.attributes.contains(&LinkAttribute::Mtu(1450)));
        assert!(message.header.flags.is_empty());
    }
}
