//! GC: what belongs to no valid attachment goes.

use cni::{Attempts, Call, Failure, GcCall, Valid, Verb};
use firewall::Firewall;
use link::turn::{self, Matter};
use link::veth::GROUP;
use netlink::{Link, RouteSocket};
use vocab::{ContainerId, InterfaceName, NetworkName};

use crate::config::{self, Masquerade, Settings};
use crate::error::StepFault;
use crate::{gateway, owner, release};

pub(crate) fn gc(call: &GcCall) -> Result<(), Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let network = call.call.config.name();
    let mut attempts = Attempts::default();
    let mut firewall = Firewall::new();
    let kept = firewall.retain(|owner| owner.is_kept(network, call.valid.iter()));
    attempts.note(kept.map_err(StepFault::from));
    if settings.masquerade == Masquerade::Iptables {
        let is_valid = |container: &ContainerId| call.valid.has_container(container.as_str());
        attempts.note(firewall.retain_iptables_masquerades(network, is_valid).map_err(StepFault::from));
    }
    attempts.note(remove_links(network, &settings.bridge, &call.valid));
    attempts.note(collect_leases(&settings, delegated, &call.valid));
    if call.valid.is_empty() {
        attempts.note(remove_gateways_alone(&settings.bridge));
        attempts.note(release::bridge(&settings.bridge, link::caller(&call.call)));
        attempts.note(firewall.remove_empty_tables().map_err(StepFault::from));
    }
    release::close(firewall, link::caller(&call.call));
    attempts.finish()
}

/// GC of the IPAM plugin. A version that has no GC is called by ourselves only, in process, when a network goes: then ours
/// is called alike, and another's would refuse.
fn collect_leases(settings: &Settings, delegated: Call, valid: &Valid) -> Result<(), Failure> {
    let Some(kind) = &settings.ipam else { return Ok(()) };
    if delegated.config.version() >= Verb::Gc.since() {
        return Ok(delegated.delegate(kind)?.gc()?);
    }
    match delegated.registry.find(kind) {
        Some(ipam) => ipam.gc(&GcCall { call: delegated, valid: valid.clone() }),
        None => Ok(()),
    }
}

/// Removes the pairs of attachments that are not valid, all of them in one request.
fn remove_links(network: &NetworkName, bridge: &InterfaceName, valid: &Valid) -> Result<(), StepFault> {
    // While an ADD is under way, a pair that bears no mark yet is that ADD's.
    let alone = turn::try_alone(bridge, Matter::Bridge)?;
    let mut host = RouteSocket::open()?;
    let links = host.links()?;
    let index = links.iter().find(|link| link.name == *bridge).map(|link| link.index);
    let is_orphan = |link: &&Link| match &link.alias {
        Some(alias) => owner::read(alias, network).is_some_and(|attachment| !valid.contains(&attachment)),
        None => alone.is_some() && link.controller.is_some() && link.controller == index,
    };
    let orphans = links.iter().filter(|link| link.group == GROUP).filter(is_orphan);
    let orphans: Vec<u32> = orphans.map(|link| link.index).collect();
    Ok(host.remove_links(&orphans)?)
}

fn remove_gateways_alone(bridge: &InterfaceName) -> Result<(), Failure> {
    let Some(_lock) = turn::try_alone(bridge, Matter::Bridge).map_err(StepFault::from)? else {
        return Ok(());
    };
    remove_gateways(&mut RouteSocket::open().map_err(StepFault::from)?, bridge)
}

/// Removes the bridge's interfaces in VLANs when they are all that is left on it. No ADD may come meanwhile.
pub(crate) fn remove_gateways(host: &mut RouteSocket, bridge: &InterfaceName) -> Result<(), Failure> {
    let Some(found) = link::bridge::find(host, bridge)? else { return Ok(()) };
    let is_used = link::bridge::find_port(host, &found, |port| !gateway::is_port(port, bridge))?.is_some();
    if is_used {
        return Ok(());
    }
    let links = host.links().map_err(StepFault::from)?;
    let ports = links.iter().filter(|link| link.controller == Some(found.index));
    let ports: Vec<u32> = ports.map(|link| link.index).collect();
    Ok(host.remove_links(&ports).map_err(StepFault::from)?)
}
