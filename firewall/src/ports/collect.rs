//! Collecting: ports of attachments that are not to be kept.

use std::collections::HashMap;

use super::PublishedPort;
use super::claim::{Family, HostPort, MAPS};
use super::conflict;
use super::note::CLIENT_SETS;
use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::PACKETS;
use crate::skeleton::sets::PUBLISHERS;
use crate::table;

/// Takes away what belongs to owners that are not to be kept, and counts anew what is had at single addresses. Returns
/// how many elements of theirs go. Elements that name no owner were not made by us and stay.
pub(crate) fn retain(
    channel: &mut Channel,
    batch: &mut Batch,
    keep: impl Fn(&Owner) -> bool,
) -> Result<usize, channel::Error> {
    let mut removed = 0;
    let mut counts: HashMap<HostPort, i64> = HashMap::new();
    for set in MAPS.into_iter().chain(CLIENT_SETS).chain([&PUBLISHERS]) {
        let elements = table::elements(channel, &PACKETS, set)?;
        let (gone, kept): (Vec<Element>, Vec<Element>) =
            elements.into_iter().partition(|element| has_owner_that_goes(element, &keep));
        batch.delete(&PACKETS, set, &gone);
        removed += gone.len();
        for port in kept.iter().filter_map(|element| PublishedPort::read(set, element)) {
            if port.host().address.is_some() {
                *counts.entry(port.host().everywhere()).or_default() += 1;
            }
        }
    }
    for family in [Family::V4, Family::V6] {
        count_anew(channel, batch, family, &counts)?;
    }
    Ok(removed)
}

fn has_owner_that_goes(element: &Element, keep: impl Fn(&Owner) -> bool) -> bool {
    let comment = element.comment().unwrap_or_default();
    !comment.is_empty() && !keep(&Owner::from_comment(comment))
}

fn count_anew(
    channel: &mut Channel,
    batch: &mut Batch,
    family: Family,
    counts: &HashMap<HostPort, i64>,
) -> Result<(), channel::Error> {
    let set: &'static Set = family.addressed();
    let of_family = counts.iter().filter(|(host, _)| host.family == family);
    let right: Vec<Element> =
        of_family.map(|(host, count)| host.counted().with_comment(&conflict::comment(*count))).collect();
    let found = table::elements(channel, &PACKETS, set)?;
    let differs = |elements: &[Element], element: &&Element| !elements.contains(element);
    let wrong: Vec<_> = found.iter().filter(|element| differs(&right, element)).cloned().collect();
    let missing: Vec<_> = right.iter().filter(|element| differs(&found, element)).cloned().collect();
    batch.delete(&PACKETS, set, &wrong);
    batch.add(&PACKETS, set, &missing);
    Ok(())
}
