//! Who has a port at one address that another wants at all of them, or the other way round.
//!
//! The maps do not see that: the keys differ. So each port that is had at single addresses is counted in a set of its
//! own, and whoever wants a port looks there, or in the map of ports at all addresses, in the same transaction.

use std::collections::HashMap;

use super::PublishedPort;
use super::claim::{Claim, HostPort};
use super::found::Found;
use super::note::Placed;
use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::owner::Owner;
use crate::skeleton::PACKETS;
use crate::table;

/// So many questions cost less than listing the ports that are counted.
const FEW: usize = 16;

/// A port that cannot be had, and who has it.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) claim: Claim,
    pub(super) owner: Owner,
}

/// How many addresses more, or fewer, each port is had at.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<HostPort, i64>);

impl Counts {
    /// Takes note of a port that is had from now on, or no longer.
    pub(super) fn change(&mut self, host: HostPort, by: i64) {
        if host.address.is_some() {
            *self.0.entry(host.everywhere()).or_default() += by;
        }
    }

    /// Makes the counts what they are after the batch.
    pub(super) fn write(self, channel: &mut Channel, batch: &mut Batch) -> Result<(), channel::Error> {
        let changed: Vec<_> = self.0.into_iter().filter(|(_, by)| *by != 0).collect();
        let found = Found::look(channel, changed.iter().map(|(host, _)| counted(host)))?;
        for (host, by) in changed {
            let (set, element) = counted(&host);
            let before = found.get(set, &element);
            let count = before.map_or(0, count_of) + by;
            if let Some(before) = before {
                batch.delete(&PACKETS, set, std::slice::from_ref(before));
            }
            if count > 0 {
                batch.add(&PACKETS, set, &[element.with_comment(&comment(count))]);
            }
        }
        Ok(())
    }
}

fn counted(host: &HostPort) -> Placed {
    (host.family.addressed(), host.counted())
}

pub(super) fn comment(count: i64) -> String {
    if count == 1 { "1 address".to_owned() } else { format!("{count} addresses") }
}

/// An element whose comment somebody took away stands for one.
fn count_of(element: &Element) -> i64 {
    let count = element.comment().and_then(|comment| comment.split(' ').next()?.parse().ok());
    count.unwrap_or(1)
}

/// The claims that cannot be had beside somebody else's. An attachment is never in its own way.
pub(super) fn find(
    channel: &mut Channel,
    claims: &[Claim],
    owner: &Owner,
) -> Result<Vec<Conflict>, channel::Error> {
    let (single, everywhere): (Vec<&Claim>, Vec<&Claim>) =
        claims.iter().partition(|claim| claim.host.address.is_some());
    let mut conflicts = Vec::new();
    let wider = |claim: &Claim| (claim.host.family.ports(), claim.host.everywhere().element());
    let found = Found::look(channel, single.iter().map(|claim| wider(claim)))?;
    for claim in single {
        let (set, element) = wider(claim);
        let other = found.owner(set, &element).filter(|other| other != owner);
        conflicts.extend(other.map(|owner| Conflict { claim: *claim, owner }));
    }
    let counted = find_counted(channel, &everywhere)?;
    let suspects: Vec<_> = everywhere
        .into_iter()
        .filter(|claim| {
            let (set, element) = counted_of(claim);
            counted.get(set, &element).is_some()
        })
        .collect();
    for claim in suspects {
        let narrower = table::elements(channel, &PACKETS, claim.host.family.address_ports())?;
        let narrower =
            narrower.iter().filter_map(|one| PublishedPort::read(claim.host.family.address_ports(), one));
        let mut others =
            narrower.filter(|port| port.host().everywhere() == claim.host && port.owner != *owner);
        conflicts.extend(others.next().map(|port| Conflict { claim: *claim, owner: port.owner }));
    }
    Ok(conflicts)
}

fn counted_of(claim: &Claim) -> Placed {
    counted(&claim.host)
}

fn find_counted(channel: &mut Channel, claims: &[&Claim]) -> Result<Found, channel::Error> {
    if claims.len() <= FEW {
        return Found::look(channel, claims.iter().map(|claim| counted_of(claim)));
    }
    let mut all = Vec::new();
    let mut sets: Vec<_> = claims.iter().map(|claim| claim.host.family).collect();
    sets.sort_unstable();
    sets.dedup();
    for set in sets.into_iter().map(super::claim::Family::addressed) {
        all.extend(table::elements(channel, &PACKETS, set)?.into_iter().map(|element| (set, element)));
    }
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_back_from_its_comment() {
        for count in [1, 2, 37] {
            assert_eq!(count_of(&Element::of_key(vec![]).with_comment(&comment(count))), count);
        }
        assert_eq!(count_of(&Element::of_key(vec![])), 1);
        assert_eq!(count_of(&Element::of_key(vec![]).with_comment("by hand")), 1);
    }
}
