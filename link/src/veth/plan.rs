//! The requests that make a veth pair. Nothing is sent here.

use std::os::fd::AsRawFd;

use netlink::packet::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink::{Batch, Label};
use vocab::InterfaceName;

use super::{GROUP, Veth, VethSpec};
use crate::message::{info, mac, named, numbered, switch_on};
use crate::port;

/// The message that makes both ends.
///
/// The host's end is the one that the message is about, for the kernel would ignore a bridge given to the other. It
/// is up from the start; the container's must not be, or the kernel refuses (`ENOTCONN`: its peer is not there yet).
pub(super) fn pair(spec: &VethSpec<'_>, host_name: &InterfaceName) -> LinkMessage {
    let mut peer = named(spec.container_name);
    peer.attributes.push(mac(spec.container_mac));
    peer.attributes.push(LinkAttribute::NetNsFd(spec.container_ns.as_raw_fd()));
    one_queue(&mut peer, spec);

    let mut message = named(host_name);
    switch_on(&mut message, LinkFlags::Up);
    message.attributes.push(mac(spec.host_mac));
    message.attributes.extend(spec.bridge.map(LinkAttribute::Controller));
    message.attributes.push(LinkAttribute::Group(GROUP));
    one_queue(&mut message, spec);
    message.attributes.push(info(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
    ]));
    message
}

/// One queue each way: with the kernel's default, one for each processor, making them waits twice for all
/// processors, and no container's traffic needs them.
fn one_queue(message: &mut LinkMessage, spec: &VethSpec<'_>) {
    message.attributes.push(LinkAttribute::NumTxQueues(1));
    message.attributes.push(LinkAttribute::NumRxQueues(1));
    message.attributes.extend(spec.mtu.map(LinkAttribute::Mtu));
}

/// What the message that makes the pair would silently ignore: the alias, the port's flags and VLANs.
pub(super) fn finish(spec: &VethSpec<'_>, veth: &Veth) -> Batch {
    let mut message = numbered(veth.host_index);
    message.attributes.push(LinkAttribute::IfAlias(spec.alias.as_str().to_owned()));
    let mut batch = Batch::new();
    batch.set_link(Label::new("mark", &veth.host_name), &message);
    if !spec.port.is_default() {
        port::plan(&mut batch, veth.host_index, &veth.host_name, spec.port);
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Alias;
    use crate::port::PortSpec;
    use std::os::fd::AsFd;
    use vocab::MacAddress;

    #[test]
    fn both_ends_are_born_where_they_belong() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let names = [InterfaceName::new("veth1").unwrap()];
        let container_name = InterfaceName::new("eth0").unwrap();
        let spec = VethSpec {
            host_names: &names,
            host_mac: MacAddress::new([2, 0, 0, 0, 0, 1]),
            container_name: &container_name,
            container_mac: MacAddress::new([2, 0, 0, 0, 0, 2]),
            mtu: Some(1450),
            bridge: Some(3),
            port: &PortSpec { hairpin: true, ..PortSpec::default() },
            container_ns: file.as_fd(),
            alias: &Alias::new("net/web/eth0"),
        };
        let message = pair(&spec, &names[0]);
        assert_eq!(message.header.flags, LinkFlags::Up);
        for attribute in [
            LinkAttribute::IfName("veth1".to_owned()),
            LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
            LinkAttribute::Controller(3),
            LinkAttribute::Mtu(1450),
            LinkAttribute::NumTxQueues(1),
            LinkAttribute::NumRxQueues(1),
            LinkAttribute::Group(GROUP),
        ] {
            assert!(message.attributes.contains(&attribute), "{attribute:?}");
        }
        let peer = format!("{:?}", message.attributes.last());
        let descriptor = format!("NetNsFd({})", file.as_raw_fd());
        for part in ["\"eth0\"", "NumTxQueues(1)", "NumRxQueues(1)", "Mtu(1450)", descriptor.as_str()] {
            assert!(peer.contains(part), "{part} in {peer}");
        }
        assert!(peer.contains("flags: LinkFlags(0x0)"), "{peer}");

        let veth = Veth { host_name: names[0].clone(), host_index: 7, container_index: 2, mtu: 1450 };
        let labels: Vec<_> = finish(&spec, &veth).labels().map(ToString::to_string).collect();
        assert_eq!(labels, ["mark veth1", "set the port flags of veth1"]);
    }
}
