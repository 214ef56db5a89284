//! Who may reach the containers of a bridge: `ingressPolicy`.
//!
//! With `"backend": "iptables"` it is the reference's chains `CNI-ISOLATION-STAGE-1` and `-2`; with any other back end,
//! elements of our own constant table. Either belongs to the bridge, so it stays as long as the bridge is closed for a
//! container and goes with the last one (the reference never takes it away). Who comes and who leaves take turns for
//! that question ([`link::turn`]): of two last ones that leave at once the second sees that it is the last, and
//! nothing is taken from under one that comes.

use cni::Failure;
use firewall::{Ensured, Firewall, GatewayMode, Ingress, IngressPolicy, Isolation, NetworkPolicy, Standing};
use link::turn::{self, Joined, Matter, Turn};
use netlink::{Link, LinkName, RouteSocket};
use vocab::{InterfaceName, NetworkName};

use crate::backend::demand;
use crate::config::{Settings, Wanted};
use crate::error::StepFault;
use crate::notes::Notes;
use crate::plan::Plan;
use crate::release::Leaving;

/// The bridge and the policy; `None` when everybody may come in.
pub(crate) fn wanted<'a>(settings: &Settings, plan: &'a Plan) -> Result<Option<Ingress<'a>>, StepFault> {
    let Some(policy) = settings.ingress.filter(|_| !plan.addresses.is_empty()) else { return Ok(None) };
    let bridge = plan.bridge.as_ref().ok_or(StepFault::NoBridge { policy })?;
    Ok(Some(Ingress { bridge, policy }))
}

/// Lets nobody who leaves open a bridge before it is closed, and seen to be closed for whom.
pub(crate) fn join(ingress: &Ingress<'_>) -> Result<Joined, StepFault> {
    Ok(turn::join(ingress.bridge, Matter::Ingress)?)
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

/// Opens a bridge again, by whatever it was closed, once nobody is left for whom it was. Who leaves holds the turn, so it
/// is alone in asking, and nobody comes meanwhile.
pub(crate) fn release(
    firewall: &mut Firewall,
    notes: &Notes,
    leaving: &Leaving<'_>,
    bridge: &InterfaceName,
    turn: &Turn,
) -> Result<(), StepFault> {
    // Who comes at this moment needs it, and takes it away itself should that fail.
    if !turn.is_alone() || notes.is_closed_for_others(bridge, leaving.owner)? {
        return Ok(());
    }
    // A container that is not noted, of another program, may need it for all we know. One of ours has left already, and
    // only its link has not, or it is about to come and will close the bridge itself; unless notes were lost.
    let may_need_it = |port: &Link| {
        port.is_kind("veth")
            && !leaving.note.ports.contains(&port.name)
            && (port.alias.is_none() || !leaving.is_noted)
    };
    if has_port(bridge, may_need_it)? {
        return Ok(());
    }
    firewall.remove_iptables_ingress(bridge)?;
    end_isolation(firewall, leaving.network, bridge)
}

/// Opens every bridge again that iptables closes and that has no port: what a failure or the loss of a note has left.
pub(crate) fn collect(firewall: &mut Firewall) -> Result<(), StepFault> {
    for (bridge, _) in firewall.list_iptables_ingress()? {
        let turn = turn::take(&bridge, Matter::Ingress)?;
        if turn.is_alone() && !has_port(&bridge, |_| true)? {
            firewall.remove_iptables_ingress(&bridge)?;
        }
    }
    Ok(())
}

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

/// Whether a bridge has such a port. What is no bridge (the host's end of a pair, the gateway of a VLAN) counts as its own.
fn has_port(bridge: &InterfaceName, is_such: impl Fn(&Link) -> bool) -> Result<bool, StepFault> {
    let mut host = RouteSocket::open()?;
    let Some(found) = host.find_link(LinkName::Name(bridge))? else { return Ok(false) };
    if !found.is_kind("bridge") {
        return Ok(is_such(&found));
    }
    Ok(host.find_first_link(Some(found.index), is_such)?.is_some())
}
