//! The addresses of network `bridge`: as daemon.json has them, and completed where it is silent.

use std::net::IpAddr;

use docker::{DefaultBridge, Shorthand, Wish};
use ipnetwork::IpNetwork;
use subnet::Family;

use super::{BuiltInError, Sources, pools};
use crate::pool;
use crate::taken::{self, Taken};

/// What daemon.json says of addresses, with an address of the bridge for each family that the network is to have and that
/// no key names.
///
/// What was chosen before is chosen again: the bridge that is there keeps its address.
pub(super) fn complete(sources: Sources<'_>, link: &str) -> Result<Wish, BuiltInError> {
    let mut wish = sources.daemon.wish.clone();
    for (key, value) in networks(&wish) {
        refuse_overlap(sources, key, value, link)?;
    }
    let own = own_addresses(sources, link);
    if wish.bip.is_none() {
        wish.bip = choose(sources, &own, Family::V4, wish.fixed_cidr.as_deref())?;
    }
    if wish.bip6.is_none() && sources.daemon.has_ipv6() {
        wish.bip6 = choose(sources, &own, Family::V6, wish.fixed_cidr_v6.as_deref())?;
    }
    // Of a bridge that somebody else made only the host knows the network, so nobody has looked yet.
    match Shorthand::new(&wish) {
        Ok(_) => Ok(wish),
        Err(source) => {
            let (file, link) = (sources.file.to_owned(), link.to_owned());
            Err(BuiltInError::Unfit { file, link, source: Box::new(source) })
        }
    }
}

/// The keys that are given, and their values.
pub(super) fn keys(wish: &Wish) -> impl Iterator<Item = (&'static str, String)> {
    let gateways = [("default-gateway", wish.gateway), ("default-gateway-v6", wish.gateway_v6)];
    let gateways = gateways.into_iter().filter_map(|(key, gateway)| Some((key, gateway?.to_string())));
    networks(wish).map(|(key, value)| (key, value.to_owned())).chain(gateways)
}

fn networks(wish: &Wish) -> impl Iterator<Item = (&'static str, &str)> {
    let networks = [
        ("bip", &wish.bip),
        ("bip6", &wish.bip6),
        ("fixed-cidr", &wish.fixed_cidr),
        ("fixed-cidr-v6", &wish.fixed_cidr_v6),
    ];
    networks.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)))
}

/// The bridge's address of a family, unless its network follows from `fixed`.
fn choose(
    sources: Sources<'_>,
    own: &[IpNetwork],
    family: Family,
    fixed: Option<&str>,
) -> Result<Option<String>, BuiltInError> {
    let is_somebody_s = matches!(sources.daemon.bridge, DefaultBridge::Existing(_));
    let holds = |address: &IpNetwork| {
        fixed.is_none_or(|fixed| subnet::parse(fixed).is_some_and(|fixed| subnet::holds(*address, fixed)))
    };
    let kept = || own.iter().find(|address| Family::of_network(**address) == family && holds(address));
    match fixed {
        // It is the network, whatever our bridge has.
        Some(_) if !is_somebody_s => Ok(None),
        Some(_) => Ok(kept().map(ToString::to_string)),
        None => match kept() {
            Some(address) => Ok(Some(address.to_string())),
            None => Ok(Some(first_host(free(sources, family)?))),
        },
    }
}

/// The addresses that the bridge has. One that somebody else made is asked only when daemon.json names it.
fn own_addresses(sources: Sources<'_>, link: &str) -> Vec<IpNetwork> {
    let is_named = matches!(sources.daemon.bridge, DefaultBridge::Existing(_));
    let found = sources.facts.links.iter().find(|found| found.name.as_str() == link);
    let found = found.filter(|found| is_named || found.alias.as_deref().is_some_and(link::bridge::is_ours));
    let reaches = |address: &IpNetwork| match address.ip() {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    };
    found.map_or(Vec::new(), |found| found.addresses.iter().copied().filter(reaches).collect())
}

/// The address of the bridge in a subnet that nobody named.
fn first_host(subnet: IpNetwork) -> String {
    format!("{}/{}", subnet::hosts(subnet).0, subnet.prefix())
}

/// Fails when a network that daemon.json names is somebody's.
fn refuse_overlap(
    sources: Sources<'_>,
    key: &'static str,
    value: &str,
    link: &str,
) -> Result<(), BuiltInError> {
    // One that cannot be read was refused with the file.
    let Some(network) = subnet::parse(value) else { return Ok(()) };
    let is_other_s = |taken: &&Taken| taken.link().is_none_or(|on| on.as_str() != link);
    let taken = sources.facts.taken.iter().filter(is_other_s).chain(sources.others);
    match taken::in_the_way(taken, network) {
        Some(taken) => Err(BuiltInError::Overlap {
            key,
            value: value.to_owned(),
            file: sources.file.to_owned(),
            taken: Box::new(taken.clone()),
        }),
        None => Ok(()),
    }
}

fn free(sources: Sources<'_>, family: Family) -> Result<IpNetwork, BuiltInError> {
    let pools = pools(sources.daemon, sources.machine_id, pool::of_default_bridge);
    let taken: Vec<Taken> = sources.facts.taken.iter().chain(sources.others).cloned().collect();
    pool::find_free(&pools, &taken, family).ok_or(BuiltInError::PoolsEmpty { family })
}
