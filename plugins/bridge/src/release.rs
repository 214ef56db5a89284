//! What is taken away: by DEL and GC, and by an ADD that failed half way.

use firewall::{Firewall, IptablesMasquerade};
use ipnetwork::IpNetwork;
use link::bridge::{AddressChanges, BridgeFacts, Keeper};
use link::turn::{self, Matter};
use netlink::reaper::{self, Caller};
use netlink::{LinkName, RouteSocket};
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

use crate::config::{Masquerade, Settings};
use crate::error::StepFault;
use crate::owner;

/// Removes a bridge that we made, that no network keeps and nobody uses (any more).
pub(crate) fn bridge(name: &InterfaceName, caller: Caller) -> Result<(), StepFault> {
    let Some(_lock) = turn::try_alone(name, Matter::Bridge)? else { return Ok(()) };
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    link::bridge::remove_if_unused_detached(&mut host, name, &Keeper::Containers, caller)?;
    Ok(())
}

/// Gives a bridge the addresses back that it had.
pub(crate) fn addresses(bridge: &BridgeFacts, changes: AddressChanges) -> Result<(), link::bridge::Error> {
    link::bridge::restore_addresses(&mut RouteSocket::open()?, bridge, changes)
}

/// Removes the host's end of a pair, and with it the container's.
pub(crate) fn link(index: u32) -> Result<(), netlink::Error> {
    RouteSocket::open()?.remove_links(&[index])
}

/// Ends the MAC check of a port.
pub(crate) fn spoof_check(port: &InterfaceName) -> Result<(), firewall::spoof::Error> {
    Firewall::new().remove_spoof_check(port).map(drop)
}

/// Whether a network has elements of its own in the firewall.
pub(crate) fn has_elements(settings: &Settings) -> bool {
    settings.masquerade == Masquerade::Nftables || settings.policy.is_said()
}

/// Ends a network's masquerade and policy if no container is on it, but for the one that is about to leave; says whether
/// that is so. An ADD that is under way counts as one.
pub(crate) fn network(
    firewall: &mut Firewall,
    host: &mut RouteSocket,
    network: &NetworkName,
    bridge: &InterfaceName,
    leaving: Option<&Attachment>,
) -> Result<Network, StepFault> {
    let Some(_lock) = turn::try_alone(bridge, Matter::Bridge)? else { return Ok(Network::Used) };
    let is_another_s = |link: &netlink::Link| {
        let attachment = link.alias.as_deref().and_then(|alias| owner::read(alias, network));
        attachment.is_some_and(|attachment| Some(&attachment) != leaving)
    };
    // On a host with many networks all links would be far more than those of one bridge.
    let controller = host.find_link(LinkName::Name(bridge))?.map(|bridge| bridge.index);
    if host.find_first_link(controller, is_another_s)?.is_some() {
        return Ok(Network::Used);
    }
    firewall.remove_masquerade(network)?;
    firewall.remove_policy(network)?;
    Ok(Network::Empty)
}

/// Whether containers are on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// There are others.
    Used,
    /// The one that leaves is the last.
    Empty,
}

/// Ends a container's masquerade by iptables, whoever made it.
pub(crate) fn iptables(
    firewall: &mut Firewall,
    network: &NetworkName,
    container: &ContainerId,
    addresses: &[IpNetwork],
) -> Result<(), firewall::iptables::Error> {
    firewall.remove_iptables_masquerade(&IptablesMasquerade { network, container, addresses }).map(drop)
}

/// Lets a child wait for the kernel to be done with what was deleted.
pub(crate) fn close(firewall: Firewall, caller: Caller) {
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), caller);
}
