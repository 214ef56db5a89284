//! The addresses of a bridge that is its network's gateway.

use ipnetwork::IpNetwork;
use netlink::packet::AddressFamily;
use netlink::{Batch, Label, RouteSocket};

use super::{BridgeFacts, Error};
use crate::address;
use crate::sysctl::Sysctl;

/// What to do with an address that is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Fail, and change nothing.
    Refuse,
    /// Remove it.
    Replace,
}

/// What [`ensure_addresses`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressChanges {
    /// Addresses that the bridge has now.
    pub added: Vec<IpNetwork>,
    /// Addresses that the bridge had before.
    pub removed: Vec<IpNetwork>,
}

impl AddressChanges {
    /// Whether all was as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// Sees to it that the bridge has `wanted`.
///
/// An IPv4 address is in the way of any other, unless that is wanted, too; an IPv6 address only of one whose prefix
/// overlaps its own. Addresses that belong `beside` those wanted, such as the gateways of the network's other ranges, are
/// in nobody's way; who they are is asked only if one is there that might be.
///
/// # Errors
/// [`Error::AddressInTheWay`], or what the kernel says.
pub fn ensure_addresses(
    socket: &mut RouteSocket,
    bridge: &BridgeFacts,
    wanted: &[IpNetwork],
    on_conflict: OnConflict,
    beside: impl FnOnce() -> Vec<IpNetwork>,
) -> Result<AddressChanges, Error> {
    let mut present = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        if wanted.iter().any(|wanted| address::family(wanted.ip()) == family) {
            let found = socket.list_addresses(family, bridge.index)?;
            present.extend(found.into_iter().map(|address| address.network));
        }
    }
    let is_doubtful = |present: &IpNetwork| {
        !wanted.contains(present) && wanted.iter().any(|wanted| conflict(present, wanted))
    };
    if present.iter().any(is_doubtful) {
        let beside = beside();
        present.retain(|present| wanted.contains(present) || !beside.contains(present));
    }
    let mut changes = plan(bridge, &present, wanted, on_conflict)?;
    apply(socket, bridge, &mut changes)?;
    Ok(changes)
}

/// The addresses of the bridge, IPv4 first.
///
/// # Errors
/// What the kernel says.
pub fn list_addresses(socket: &mut RouteSocket, bridge: &BridgeFacts) -> Result<Vec<IpNetwork>, Error> {
    Ok(socket.addresses_of(bridge.index)?.into_iter().map(|address| address.network).collect())
}

/// Takes back what [`ensure_addresses`] did.
///
/// # Errors
/// What the kernel says.
pub fn restore_addresses(
    socket: &mut RouteSocket,
    bridge: &BridgeFacts,
    changes: AddressChanges,
) -> Result<(), Error> {
    apply(socket, bridge, &mut AddressChanges { added: changes.removed, removed: changes.added })
}

fn plan(
    bridge: &BridgeFacts,
    present: &[IpNetwork],
    wanted: &[IpNetwork],
    on_conflict: OnConflict,
) -> Result<AddressChanges, Error> {
    let mut changes = AddressChanges::default();
    for wanted_one in wanted {
        if present.contains(wanted_one) || changes.added.contains(wanted_one) {
            continue;
        }
        for in_the_way in
            present.iter().filter(|present| !wanted.contains(present) && conflict(present, wanted_one))
        {
            match on_conflict {
                OnConflict::Replace if changes.removed.contains(in_the_way) => {}
                OnConflict::Replace => changes.removed.push(*in_the_way),
                OnConflict::Refuse => {
                    let (name, wanted, present) = (bridge.name.clone(), *wanted_one, *in_the_way);
                    return Err(Error::AddressInTheWay { name, wanted, present });
                }
            }
        }
        changes.added.push(*wanted_one);
    }
    Ok(changes)
}

fn conflict(present: &IpNetwork, wanted: &IpNetwork) -> bool {
    match (present, wanted) {
        (IpNetwork::V4(_), IpNetwork::V4(_)) => true,
        (IpNetwork::V6(present), IpNetwork::V6(wanted)) => {
            present.contains(wanted.ip()) || wanted.contains(present.ip())
        }
        _ => false,
    }
}

fn apply(socket: &mut RouteSocket, bridge: &BridgeFacts, changes: &mut AddressChanges) -> Result<(), Error> {
    if changes.added.iter().any(IpNetwork::is_ipv6) {
        // Where new interfaces have IPv6 switched off, the kernel would refuse the address.
        Sysctl::ipv6_conf(&bridge.name, "disable_ipv6").ensure("0")?;
    }
    let mut batch = Batch::new();
    for network in &changes.removed {
        let label = Label::new("remove address", format_args!("{network} of bridge {}", bridge.name));
        batch.remove_address(label, &address::bare(bridge.index, network));
    }
    let removals = changes.removed.len();
    for network in &changes.added {
        let label = Label::new("add address", format_args!("{network} to bridge {}", bridge.name));
        batch.add_address(label, &address::own(bridge.index, network, address::Detection::Skip));
    }
    if batch.is_empty() {
        return Ok(());
    }
    let replies = socket.run_each(batch)?;
    let mut added_by_others = Vec::new();
    for (at, refused) in replies.outcomes().enumerate() {
        match refused {
            None => {}
            // Gone already, perhaps with the address it was secondary to.
            Some(refused) if at < removals && refused.is_missing() => {}
            // Another ADD of the same network was quicker.
            Some(refused) if at >= removals && refused.is_exists() => added_by_others.push(at - removals),
            Some(refused) => return Err(netlink::Error::from(refused.clone()).into()),
        }
    }
    let mut at = 0..;
    changes.added.retain(|_| at.next().is_some_and(|at| !added_by_others.contains(&at)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::InterfaceName;

    fn planned(present: &[&str], wanted: &[&str], on_conflict: OnConflict) -> Result<AddressChanges, String> {
        let bridge = BridgeFacts {
            index: 3,
            name: InterfaceName::new("cni0").unwrap(),
            mac: None,
            mtu: 1500,
            is_up: true,
            is_promiscuous: false,
            vlan_filtering: None,
            alias: None,
            is_being_made: false,
        };
        plan(&bridge, &networks(present), &networks(wanted), on_conflict).map_err(|error| error.to_string())
    }

    fn networks(texts: &[&str]) -> Vec<IpNetwork> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn changes(added: &[&str], removed: &[&str]) -> AddressChanges {
        AddressChanges { added: networks(added), removed: networks(removed) }
    }

    #[test]
    fn an_equal_address_is_fine() {
        let same =
            planned(&["10.1.0.1/24", "fd00::1/64"], &["10.1.0.1/24", "fd00::1/64"], OnConflict::Refuse);
        assert_eq!(same, Ok(AddressChanges::default()));
    }

    #[test]
    fn any_other_ipv4_address_is_in_the_way() {
        let refused = planned(&["192.168.7.1/24"], &["10.1.0.1/24"], OnConflict::Refuse);
        assert_eq!(
            refused,
            Err("give bridge cni0 the address 10.1.0.1/24: it already has 192.168.7.1/24".to_owned())
        );
        let replaced = planned(&["192.168.7.1/24"], &["10.1.0.1/24"], OnConflict::Replace);
        assert_eq!(replaced, Ok(changes(&["10.1.0.1/24"], &["192.168.7.1/24"])));
        let longer = planned(&["10.1.0.1/16"], &["10.1.0.1/24"], OnConflict::Refuse);
        assert!(longer.is_err(), "the prefix is part of the address");
    }

    #[test]
    fn the_gateways_of_several_ranges_are_not_in_each_others_way() {
        let second = planned(&["10.1.0.1/24"], &["10.1.0.1/24", "10.2.0.1/24"], OnConflict::Refuse);
        assert_eq!(second, Ok(changes(&["10.2.0.1/24"], &[])));
        let both = planned(&[], &["10.1.0.1/24", "10.2.0.1/24", "10.1.0.1/24"], OnConflict::Refuse);
        assert_eq!(both, Ok(changes(&["10.1.0.1/24", "10.2.0.1/24"], &[])));
        let replaced = planned(&["10.3.0.1/24"], &["10.1.0.1/24", "10.2.0.1/24"], OnConflict::Replace);
        assert_eq!(replaced, Ok(changes(&["10.1.0.1/24", "10.2.0.1/24"], &["10.3.0.1/24"])));
    }

    #[test]
    fn an_ipv6_address_is_in_the_way_only_where_prefixes_overlap() {
        let present = &["fe80::1/64", "fd00:1::1/64"];
        assert_eq!(
            planned(present, &["fd00:2::1/64"], OnConflict::Refuse),
            Ok(changes(&["fd00:2::1/64"], &[]))
        );
        assert!(planned(present, &["fd00:1::2/64"], OnConflict::Refuse).is_err());
        assert!(planned(present, &["fd00:1::2/48"], OnConflict::Refuse).is_err());
        assert_eq!(
            planned(present, &["fd00:1::2/64"], OnConflict::Replace),
            Ok(changes(&["fd00:1::2/64"], &["fd00:1::1/64"]))
        );
    }
}
