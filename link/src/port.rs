//! A port of a bridge: what it may send where, and its VLANs.

use cni::Reloaded;
use netlink::packet::AddressFamily;
use netlink::packet::link::{
    AfSpecBridge, BridgeVlanInfo, BridgeVlanInfoFlags, InfoBridgePort, InfoPortData, InfoPortKind,
    LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink::{Batch, Label, Link, RouteSocket};
use vocab::InterfaceName;

use crate::message::{info, numbered, switch_on};

/// The VLAN that every port is in from the beginning.
const DEFAULT_VLAN: u16 = 1;

/// What a port of a bridge should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortSpec {
    /// It may send packets back where they came from.
    pub hairpin: bool,
    /// It cannot reach other isolated ports.
    pub isolated: bool,
    /// The VLANs that it is in; nothing, if the bridge does not mind VLANs.
    pub vlans: Option<PortVlans>,
}

impl PortSpec {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The VLANs of a port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortVlans {
    /// The VLAN of what the container sends without a tag.
    pub access: Option<u16>,
    /// The VLANs of which packets pass with their tag.
    pub trunk: Vec<VlanRange>,
    /// Whether it stays in VLAN 1, in which every port begins.
    pub keep_default: bool,
}

/// VLANs with neighbouring numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanRange {
    /// The first number.
    pub first: u16,
    /// The last number; the first once more for a single VLAN.
    pub last: u16,
}

/// Adds to `batch` what makes the link of that number the port that `spec` wants.
pub(crate) fn plan(batch: &mut Batch, index: u32, name: &InterfaceName, spec: &PortSpec) {
    if spec.hairpin || spec.isolated {
        batch.change_link(Label::new("set the port flags of", name), &flags(index, spec));
    }
    let Some(vlans) = &spec.vlans else { return };
    if !vlans.keep_default
        && vlans.access != Some(DEFAULT_VLAN)
        && !vlans.trunk.iter().any(VlanRange::has_default)
    {
        let message = about_vlans(index, vec![vlan(DEFAULT_VLAN, BridgeVlanInfoFlags::empty())]);
        batch.remove_link(Label::new("remove the default VLAN from", name), &message);
    }
    let infos = vlan_infos(vlans);
    if !infos.is_empty() {
        batch.set_link(Label::new("set the VLANs of", name), &about_vlans(index, infos));
    }
}

/// Sees to it that `port` is up, a port of `bridge` and what `spec` wants; what somebody has allowed it beyond that, it
/// keeps. Its VLANs are told to it when it comes to the bridge only: the kernel does not say by the way which they are.
///
/// # Errors
/// What the kernel says: one of them is gone, or the bridge is full.
pub fn ensure(
    host: &mut RouteSocket,
    port: &Link,
    bridge: u32,
    spec: &PortSpec,
) -> Result<Reloaded, netlink::Error> {
    let batch = missing(port, bridge, spec);
    if batch.is_empty() {
        return Ok(Reloaded::AsItWas);
    }
    host.run(batch)?;
    Ok(Reloaded::PutBack)
}

fn missing(port: &Link, bridge: u32, spec: &PortSpec) -> Batch {
    let (index, name) = (port.index, &port.name);
    let mut batch = Batch::new();
    if port.controller != Some(bridge) {
        let mut message = numbered(index);
        switch_on(&mut message, LinkFlags::Up);
        message.attributes.push(LinkAttribute::Controller(bridge));
        batch.set_link(Label::new("put on its bridge", name), &message);
        plan(&mut batch, index, name, spec);
        return batch;
    }
    if !port.is_up {
        let mut message = numbered(index);
        switch_on(&mut message, LinkFlags::Up);
        batch.set_link(Label::new("switch on", name), &message);
    }
    let has = port.port.unwrap_or_default();
    if (spec.hairpin && !has.hairpin) || (spec.isolated && !has.isolated) {
        batch.change_link(Label::new("set the port flags of", name), &flags(index, spec));
    }
    batch
}

/// Lets the port of that number send packets back where they came from, or no longer.
///
/// # Errors
/// What the kernel says: the link is gone, or no port of a bridge.
pub fn set_hairpin(
    host: &mut RouteSocket,
    index: u32,
    name: &InterfaceName,
    on: bool,
) -> Result<(), netlink::Error> {
    set_flag(host, index, name, InfoBridgePort::HairpinMode(on))
}

/// Keeps the port of that number apart from other isolated ports, or no longer.
///
/// # Errors
/// As with [`set_hairpin`].
pub fn set_isolated(
    host: &mut RouteSocket,
    index: u32,
    name: &InterfaceName,
    on: bool,
) -> Result<(), netlink::Error> {
    set_flag(host, index, name, InfoBridgePort::Isolated(on))
}

fn set_flag(
    host: &mut RouteSocket,
    index: u32,
    name: &InterfaceName,
    flag: InfoBridgePort,
) -> Result<(), netlink::Error> {
    let mut batch = Batch::new();
    batch.change_link(Label::new("set a port flag of", name), &with_flags(index, vec![flag]));
    host.run(batch).map(drop)
}

impl VlanRange {
    fn has_default(&self) -> bool {
        (self.first..=self.last).contains(&DEFAULT_VLAN)
    }
}

fn flags(index: u32, spec: &PortSpec) -> LinkMessage {
    let mut flags = Vec::new();
    if spec.hairpin {
        flags.push(InfoBridgePort::HairpinMode(true));
    }
    if spec.isolated {
        flags.push(InfoBridgePort::Isolated(true));
    }
    with_flags(index, flags)
}

fn with_flags(index: u32, flags: Vec<InfoBridgePort>) -> LinkMessage {
    let mut message = numbered(index);
    message.attributes.push(info(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(flags)),
    ]));
    message
}

fn vlan_infos(vlans: &PortVlans) -> Vec<AfSpecBridge> {
    let mut infos = Vec::new();
    for range in &vlans.trunk {
        if range.first == range.last {
            infos.push(vlan(range.first, BridgeVlanInfoFlags::empty()));
        } else {
            infos.push(vlan(range.first, BridgeVlanInfoFlags::RangeBegin));
            infos.push(vlan(range.last, BridgeVlanInfoFlags::RangeEnd));
        }
    }
    // Last: the access VLAN stays untagged when a range covers it, too.
    infos.extend(vlans.access.map(|id| vlan(id, BridgeVlanInfoFlags::Pvid | BridgeVlanInfoFlags::Untagged)));
    infos
}

fn vlan(vid: u16, flags: BridgeVlanInfoFlags) -> AfSpecBridge {
    AfSpecBridge::VlanInfo(BridgeVlanInfo { flags, vid })
}

fn about_vlans(index: u32, infos: Vec<AfSpecBridge>) -> LinkMessage {
    let mut message = numbered(index);
    message.header.interface_family = AddressFamily::Bridge;
    message.attributes.push(LinkAttribute::AfSpecBridge(infos));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(spec: &PortSpec) -> String {
        let mut batch = Batch::new();
        plan(&mut batch, 5, &InterfaceName::new("veth1").unwrap(), spec);
        format!("{batch:?}")
    }

    fn with_vlans(vlans: PortVlans) -> String {
        planned(&PortSpec { vlans: Some(vlans), ..PortSpec::default() })
    }

    #[test]
    fn a_plain_port_needs_no_request() {
        assert_eq!(planned(&PortSpec::default()), "");
    }

    #[test]
    fn the_flags_of_a_port_share_one_request() {
        assert_eq!(
            planned(&PortSpec { hairpin: true, isolated: true, vlans: None }),
            "set the port flags of veth1 type=16 flags=0x005 00000000050000000000000000000000\
             240012000b00040062726964676500001400050005000400010000000500210001000000\n"
        );
    }

    #[test]
    fn an_access_vlan_takes_the_place_of_the_default_one() {
        assert_eq!(
            with_vlans(PortVlans { access: Some(100), ..PortVlans::default() }),
            "remove the default VLAN from veth1 type=17 flags=0x005 \
             070000000500000000000000000000000c001a000800020000000100\n\
             set the VLANs of veth1 type=19 flags=0x005 \
             070000000500000000000000000000000c001a000800020006006400\n"
        );
    }

    #[test]
    fn a_trunk_is_told_as_ranges() {
        let trunk = vec![VlanRange { first: 10, last: 10 }, VlanRange { first: 20, last: 30 }];
        assert_eq!(
            with_vlans(PortVlans { access: None, trunk, keep_default: true }),
            "set the VLANs of veth1 type=19 flags=0x005 07000000050000000000000000000000\
             1c001a000800020000000a0008000200080014000800020010001e00\n"
        );
    }

    #[test]
    fn the_default_vlan_stays_where_it_is_asked_for() {
        let asked = PortVlans { access: Some(1), ..PortVlans::default() };
        assert!(!with_vlans(asked).contains("remove"));
        let trunk = vec![VlanRange { first: 1, last: 5 }];
        assert!(!with_vlans(PortVlans { trunk, ..PortVlans::default() }).contains("remove"));
    }
}
