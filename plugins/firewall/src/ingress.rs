//! Who may reach the containers of a bridge: `ingressPolicy`.
//!
//! With `"backend": "iptables"` it is the reference's chains `CNI-ISOLATION-STAGE-1` and `-2`; with any other back end,
//! elements of our own constant table. Either belongs to the bridge, so it stays as long as the bridge has a container
//! and goes with the last one (the reference never takes it away).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cni::Failure;
use firewall::{Ensured, Firewall, GatewayMode, Ingress, IngressPolicy, Isolation, NetworkPolicy, Standing};
use netlink::{LinkName, RouteSocket};
use vocab::{InterfaceName, NetworkName};

use crate::backend::demand;
use crate::config::{Settings, Wanted};
use crate::error::StepFault;
use crate::plan::Plan;

/// The bridge and the policy; `None` when everybody may come in.
pub(crate) fn wanted<'a>(settings: &Settings, plan: &'a Plan) -> Result<Option<Ingress<'a>>, StepFault> {
    let Some(policy) = settings.ingress.filter(|_| !plan.addresses.is_empty()) else { return Ok(None) };
    let bridge = plan.bridge.as_ref().ok_or(StepFault::NoBridge { policy })?;
    Ok(Some(Ingress { bridge, policy }))
}

/// Whether iptables closes the bridge, in one go with what it does besides.
pub(crate) fn is_by_iptables(settings: &Settings) -> bool {
    settings.backend == Wanted::Iptables
}

/// Closes a bridge by our own table.
pub(crate) fn ensure(
    firewall: &mut Firewall,
    network: &NetworkName,
    ingress: &Ingress<'_>,
) -> Result<Ensured, StepFault> {
    Ok(firewall.ensure_policy(&policy(network, ingress.bridge, Some(isolation(ingress.policy))))?)
}

/// Finds out whether a bridge is closed by our own table.
pub(crate) fn check(
    firewall: &mut Firewall,
    network: &NetworkName,
    ingress: &Ingress<'_>,
) -> Result<(), Failure> {
    let wanted = policy(network, ingress.bridge, Some(isolation(ingress.policy)));
    let standing = firewall.find_policy(&wanted).map_err(StepFault::from)?;
    demand(standing, &format!("the ingressPolicy of network {network}"))
}

/// Opens a bridge again, by whatever it was closed, once no container is on it but one that leaves, which has `ports` on
/// the host. `settings` are the network's, should it turn out to be in use after all.
///
/// While we look an ADD may come: it has its port before it asks for the isolation. So we look once more afterwards,
/// and close the bridge again when somebody is there.
pub(crate) fn release(
    firewall: &mut Firewall,
    network: &NetworkName,
    bridge: &InterfaceName,
    ports: &[InterfaceName],
    settings: Option<&Settings>,
) -> Result<(), StepFault> {
    if is_used(bridge, ports)? {
        return Ok(());
    }
    firewall.remove_iptables_ingress(bridge)?;
    end_isolation(firewall, network, bridge)?;
    let policy = settings.and_then(|settings| settings.ingress);
    let Some((settings, policy)) = settings.zip(policy) else { return Ok(()) };
    if !is_used(bridge, ports)? {
        return Ok(());
    }
    let ingress = Ingress { bridge, policy };
    match is_by_iptables(settings) {
        true => firewall.ensure_iptables_ingress(&ingress, &BOTH).map(drop).map_err(StepFault::from),
        false => ensure(firewall, network, &ingress).map(drop),
    }
}

/// Opens every bridge again that iptables closes and that has no port: of the last containers of a bridge that left at
/// the same moment, each saw the other's port.
pub(crate) fn collect(firewall: &mut Firewall) -> Result<(), StepFault> {
    for (bridge, policy) in firewall.list_iptables_ingress()? {
        if !is_used(&bridge, &[])? {
            firewall.remove_iptables_ingress(&bridge)?;
            if is_used(&bridge, &[])? {
                let _ = firewall.ensure_iptables_ingress(&Ingress { bridge: &bridge, policy }, &BOTH)?;
            }
        }
    }
    Ok(())
}

/// No address of anybody: they say that both address families are meant.
const BOTH: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];

/// Ends the isolation of a network in our own table, but not what `bridge` may have said there of its gateway: that goes
/// with `bridge`'s own DEL.
fn end_isolation(
    firewall: &mut Firewall,
    network: &NetworkName,
    bridge: &InterfaceName,
) -> Result<(), StepFault> {
    let is_whole = |standing| standing == Standing::Whole;
    let plain = policy(network, bridge, None);
    let routed = NetworkPolicy { gateway: Some(GatewayMode::Routed), ..plain };
    let has_gateway = is_whole(firewall.find_policy(&plain)?) && !is_whole(firewall.find_policy(&routed)?);
    if has_gateway {
        let _ = firewall.ensure_policy(&policy(network, bridge, Some(Isolation::Open)))?;
    } else {
        firewall.remove_policy(network)?;
    }
    Ok(())
}

fn policy<'a>(
    network: &'a NetworkName,
    interface: &'a InterfaceName,
    isolation: Option<Isolation>,
) -> NetworkPolicy<'a> {
    NetworkPolicy { network, interface, gateway: None, isolation }
}

fn isolation(policy: IngressPolicy) -> Isolation {
    match policy {
        IngressPolicy::SameBridge => Isolation::FromNetworks,
        IngressPolicy::Isolated => Isolation::FromEverybody,
    }
}

/// Whether a bridge has other ports than these. What is no bridge (the host's end of a pair, the gateway of a VLAN) is
/// used as long as it is there, unless it is one of these itself.
fn is_used(bridge: &InterfaceName, ports: &[InterfaceName]) -> Result<bool, StepFault> {
    let mut host = RouteSocket::open()?;
    let Some(found) = host.find_link(LinkName::Name(bridge))? else { return Ok(false) };
    if !found.is_kind("bridge") {
        return Ok(!ports.contains(bridge));
    }
    let is_another = |link: &netlink::Link| !ports.contains(&link.name);
    Ok(host.find_first_link(Some(found.index), is_another)?.is_some())
}
