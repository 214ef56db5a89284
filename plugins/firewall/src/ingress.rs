//! Who may reach the containers of a bridge: `ingressPolicy`.
//!
//! It belongs to the bridge, so it stays as long as the bridge has a container, and goes with the last one (the
//! reference never takes it away).
//!
//! With `"backend": "iptables"` it is the reference's chains `CNI-ISOLATION-STAGE-1` and `-2`, which the back end
//! makes in one go with the rest. With any other back end it is, as in the reference, the same chains beside it.
//! TO BE WIRED: there [`ensure`], [`check`] and [`release`] are to use our own constant table instead
//! (`Firewall::ensure_policy` and its siblings), in the arms marked below.

use firewall::{Firewall, Ingress};
use netlink::{LinkName, RouteSocket};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use vocab::InterfaceName;

use crate::backend::{Backend, demand};
use crate::config::{Settings, Wanted};
use crate::error::StepFault;
use crate::plan::Plan;
use cni::Failure;

/// The bridge and the policy; `None` when everybody may come in.
pub(crate) fn wanted<'a>(settings: &Settings, plan: &'a Plan) -> Result<Option<Ingress<'a>>, StepFault> {
    let Some(policy) = settings.ingress.filter(|_| !plan.addresses.is_empty()) else { return Ok(None) };
    let bridge = plan.bridge.as_ref().ok_or(StepFault::NoBridge { policy })?;
    Ok(Some(Ingress { bridge, policy }))
}

/// Whether the back end makes the isolation in one go with the rest.
pub(crate) fn is_the_backend_s(settings: &Settings, backend: &Backend) -> bool {
    settings.backend == Wanted::Iptables && matches!(backend, Backend::Iptables { .. })
}

/// Closes a bridge, beside a back end that does not do it.
pub(crate) fn ensure(
    firewall: &mut Firewall,
    ingress: &Ingress<'_>,
    addresses: &[IpAddr],
) -> Result<(), StepFault> {
    // The constant table's arm.
    let _ = firewall.ensure_iptables_ingress(ingress, addresses)?;
    Ok(())
}

/// Finds out whether a bridge is closed, beside a back end that does not do it.
pub(crate) fn check(
    firewall: &mut Firewall,
    ingress: &Ingress<'_>,
    addresses: &[IpAddr],
) -> Result<(), Failure> {
    // The constant table's arm.
    let standing = firewall.find_iptables_ingress(ingress, addresses).map_err(StepFault::from)?;
    demand(standing, &format!("the isolation of bridge {}", ingress.bridge))
}

/// Opens a bridge again once no container is on it but those that leave, which have `ports` on the host.
///
/// While we look an ADD may come: it has its port before it asks for the isolation. So we look once more afterwards,
/// and close the bridge again when somebody is there.
pub(crate) fn release(
    firewall: &mut Firewall,
    bridge: &InterfaceName,
    ports: &[InterfaceName],
    again: Option<(Ingress<'_>, &[IpAddr])>,
) -> Result<(), StepFault> {
    if is_used(bridge, ports)? {
        return Ok(());
    }
    // The constant table's arm stands beside this: a network may have changed its back end.
    firewall.remove_iptables_ingress(bridge)?;
    match again {
        Some((ingress, addresses)) if is_used(bridge, ports)? => ensure(firewall, &ingress, addresses),
        _ => Ok(()),
    }
}

/// Opens every bridge again that has no port: of the last containers of a bridge that left at the same moment, each saw
/// the other's port.
pub(crate) fn collect(firewall: &mut Firewall) -> Result<(), StepFault> {
    // No address of anybody: they say which address families are meant.
    let both = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    for (bridge, policy) in firewall.list_iptables_ingress()? {
        release(firewall, &bridge, &[], Some((Ingress { bridge: &bridge, policy }, &both)))?;
    }
    Ok(())
}

/// Whether a bridge has other ports than these. What is no bridge (the host's end of a pair) has none.
fn is_used(bridge: &InterfaceName, ports: &[InterfaceName]) -> Result<bool, StepFault> {
    let mut host = RouteSocket::open()?;
    let Some(bridge) = host.find_link(LinkName::Name(bridge))? else { return Ok(false) };
    let is_another = |link: &netlink::Link| !ports.contains(&link.name);
    Ok(host.find_first_link(Some(bridge.index), is_another)?.is_some())
}
