//! The interface that stands for the bridge in a VLAN: `BRIDGE.VLAN`, one end of a pair whose other end is a port
//! of the bridge in that VLAN. The bridge's own address could be in one VLAN only.

use std::os::fd::AsFd;

use cni::{Failure, Reloaded};
use link::Alias;
use link::bridge::BridgeFacts;
use link::container::{ContainerSpec, Duplicates, State};
use link::veth::VethSpec;
use netlink::{Link, LinkName, RouteSocket};
use netns::Netns;
use undo::Undo;
use vocab::{Attachment, InterfaceName};

use crate::config::Settings;
use crate::error::StepFault;
use crate::{owner, release, spec};

/// The interface's name.
pub(crate) fn name(bridge: &InterfaceName, vlan: u16) -> Result<InterfaceName, StepFault> {
    InterfaceName::new(&format!("{bridge}.{vlan}")).map_err(|source| StepFault::GatewayName {
        bridge: bridge.clone(),
        vlan,
        source,
    })
}

/// Whether `port` is the bridge's end of such a pair.
pub(crate) fn is_port(port: &Link, bridge: &InterfaceName) -> bool {
    let prefix = format!("{}/{bridge}.", link::bridge::OURS);
    port.alias.as_deref().is_some_and(|alias| alias.starts_with(&prefix))
}

/// Sees to it that the bridge has an interface in `vlan`.
pub(crate) fn ensure(
    host: &mut RouteSocket,
    bridge: &BridgeFacts,
    vlan: u16,
    settings: &Settings,
    undo: &mut Undo<'_>,
) -> Result<BridgeFacts, Failure> {
    let name = name(&bridge.name, vlan)?;
    if let Some(found) = host.find_link(LinkName::Name(&name)).map_err(StepFault::from)? {
        return Ok(facts(found));
    }
    let here = Netns::current().map_err(StepFault::from)?;
    let stand_in = Attachment::of_host(name.clone());
    let spec = VethSpec {
        host_names: &owner::host_names(&stand_in),
        host_mac: stand_in.host_mac(),
        container_name: &name,
        container_mac: stand_in.container_mac(),
        mtu: Some(bridge.mtu),
        bridge: Some(bridge.index),
        port: &spec::gateway_port(settings, vlan),
        container_ns: here.as_fd(),
        alias: &Alias::new(&format!("{}/{name}", link::bridge::OURS)),
    };
    let index = match link::veth::create(host, &spec) {
        Ok(veth) => {
            let port = veth.host_index;
            undo.push(format!("remove link {name}"), move || release::link(port));
            veth.container_index
        }
        // Another ADD was quicker.
        Err(link::veth::Error::ContainerInterfaceExists { .. }) => {
            return Ok(facts(host.expect_link(LinkName::Name(&name)).map_err(StepFault::from)?));
        }
        Err(error) => return Err(error.into()),
    };
    switch_on(host, index, name)
}

/// Puts back what somebody took from the bridge's interface in `vlan`: itself, its being up, its place on the bridge.
pub(crate) fn reload(
    host: &mut RouteSocket,
    bridge: &BridgeFacts,
    vlan: u16,
    settings: &Settings,
) -> Result<(BridgeFacts, Reloaded), Failure> {
    let name = name(&bridge.name, vlan)?;
    let Some(found) = host.find_link(LinkName::Name(&name)).map_err(StepFault::from)? else {
        // What is put back stays, whatever fails later.
        let made = ensure(host, bridge, vlan, settings, &mut Undo::default())?;
        return Ok((made, Reloaded::PutBack));
    };
    let mut restored = Reloaded::AsItWas;
    let port = found.peer.map(|peer| host.find_link(LinkName::Index(peer))).transpose();
    let port = port.map_err(StepFault::from)?.flatten().filter(|port| is_port(port, &bridge.name));
    if let Some(port) = port {
        let spec = spec::gateway_port(settings, vlan);
        restored = link::port::ensure(host, &port, bridge.index, &spec).map_err(StepFault::from)?;
    }
    if found.is_up {
        return Ok((facts(found), restored));
    }
    Ok((switch_on(host, found.index, name)?, Reloaded::PutBack))
}

fn switch_on(host: &mut RouteSocket, index: u32, name: InterfaceName) -> Result<BridgeFacts, Failure> {
    let up = ContainerSpec {
        index,
        name,
        state: State::Up,
        ips: Vec::new(),
        routes: Vec::new(),
        duplicates: Duplicates::Trust,
    };
    Ok(facts(link::container::configure(host, &up)?.link))
}

/// The interface, as what gets the bridge's addresses.
fn facts(link: Link) -> BridgeFacts {
    BridgeFacts {
        index: link.index,
        name: link.name,
        mac: link.mac,
        mtu: link.mtu,
        is_up: link.is_up,
        is_promiscuous: link.is_promiscuous,
        vlan_filtering: None,
        alias: link.alias,
        is_being_made: false,
    }
}
