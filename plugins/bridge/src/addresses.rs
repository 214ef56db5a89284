//! The addresses of the network's gateway.

use cni::{Call, Failure, StatusCall};
use ipnetwork::IpNetwork;
use link::bridge::{AddressChanges, BridgeFacts, OnConflict};
use netlink::RouteSocket;

use crate::config::{Gateway, Settings};

/// Those that are known before anybody has a lease.
///
/// # Errors
/// What the IPAM plugin finds wrong with its configuration.
pub(crate) fn known(settings: &Settings, delegated: &Call) -> Result<Vec<IpNetwork>, Failure> {
    match (&settings.gateway, &settings.ipam) {
        (Gateway::Fixed(addresses), _) => Ok(addresses.clone()),
        (Gateway::OfIpam, Some(kind)) => match delegated.registry.find(kind) {
            Some(ipam) => ipam.gateways(&StatusCall { call: delegated.clone() }),
            None => Ok(Vec::new()),
        },
        (Gateway::OfIpam, None) | (Gateway::None, _) => Ok(Vec::new()),
    }
}

/// Gives the network's gateway, the bridge or its interface in a VLAN, those of its addresses that are `wanted` now.
/// Gateways of the network's other ranges are not in the way.
pub(crate) fn ensure(
    host: &mut RouteSocket,
    gateway: &BridgeFacts,
    wanted: &[IpNetwork],
    (settings, delegated): (&Settings, &Call),
) -> Result<AddressChanges, link::bridge::Error> {
    let on_conflict = if settings.force_address { OnConflict::Replace } else { OnConflict::Refuse };
    // What is wrong with the configuration was said before.
    let beside = || known(settings, delegated).unwrap_or_default();
    link::bridge::ensure_addresses(host, gateway, wanted, on_conflict, beside)
}
