//! `"ingressPolicy": "isolated"` on the bridge itself: containers of one bridge are kept apart.
//!
//! What passes from port to port of a bridge never meets a rule of the host's firewall, unless `br_netfilter` sends it
//! there. The bridge can do it alone: it passes nothing from one isolated port to another. So the port is isolated for
//! every back end, and the rules are for what goes by way of the host.
//!
//! One thing is lost where `br_netfilter` is on: a port that a neighbour on the same bridge has published cannot be
//! reached by any address of the host. The packet's destination is translated while the bridge has it, which then
//! passes it on from port to port, and there it ends. With `br_netfilter` off the packet goes up to the host and comes
//! down again from the bridge itself, which is never isolated; our own table lets it pass. The reference's chains,
//! which `"backend": "iptables"` stands for, drop it there, too: they drop whatever goes from a bridge to itself.

use netlink::{Link, LinkName, RouteSocket};
use vocab::InterfaceName;

use crate::error::{Difference, StepFault};
use crate::plan::Plan;
use cni::Failure;
use firewall::{Ensured, Ingress, IngressPolicy};

/// Those of a container's ports that are to be kept apart and are not yet.
pub(crate) fn find_together(
    ingress: Option<&Ingress<'_>>,
    plan: &Plan,
) -> Result<Vec<InterfaceName>, StepFault> {
    let ports = wanted(ingress, plan);
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let mut host = RouteSocket::open()?;
    let mut together = Vec::new();
    for name in ports {
        if find_port(&mut host, name)?.is_some_and(|(_, is_apart)| !is_apart) {
            together.push(name.clone());
        }
    }
    Ok(together)
}

/// Keeps ports apart from the bridge's other isolated ports.
pub(crate) fn keep(ports: &[InterfaceName]) -> Result<Ensured, StepFault> {
    set(ports, true)
}

/// Keeps ports apart no longer. One that is gone is fine.
pub(crate) fn end(ports: &[InterfaceName]) -> Result<(), StepFault> {
    set(ports, false).map(drop)
}

/// Finds out whether a container's ports are kept apart where they should be.
pub(crate) fn check(ingress: Option<&Ingress<'_>>, plan: &Plan) -> Result<(), Failure> {
    match find_together(ingress, plan)?.first() {
        Some(port) => {
            Err(Difference::new(format!("port {port}"), "it is not isolated from the bridge's others").into())
        }
        None => Ok(()),
    }
}

/// The ports that the policy concerns: not what stands for the bridge itself, or nobody would reach the gateway.
fn wanted<'a>(ingress: Option<&Ingress<'_>>, plan: &'a Plan) -> Vec<&'a InterfaceName> {
    match ingress {
        Some(Ingress { bridge, policy: IngressPolicy::Isolated }) => {
            plan.ports.iter().filter(|port| port != bridge).collect()
        }
        _ => Vec::new(),
    }
}

fn set(ports: &[InterfaceName], apart: bool) -> Result<Ensured, StepFault> {
    if ports.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    let mut host = RouteSocket::open()?;
    let mut done = Ensured::AlreadyThere;
    for name in ports {
        if let Some((link, _)) = find_port(&mut host, name)?.filter(|(_, is_apart)| *is_apart != apart) {
            match link::port::set_isolated(&mut host, link.index, name, apart) {
                // It left its bridge, or the host, meanwhile.
                Err(error) if !apart && error.is_missing() => {}
                set => set?,
            }
            done = Ensured::Added;
        }
    }
    Ok(done)
}

/// The port of a bridge that has this name, and whether it is isolated.
fn find_port(host: &mut RouteSocket, name: &InterfaceName) -> Result<Option<(Link, bool)>, StepFault> {
    let found = host.find_link(LinkName::Name(name))?;
    Ok(found.and_then(|link| {
        let is_apart = link.port?.isolated;
        link.controller.map(|_| (link, is_apart))
    }))
}
