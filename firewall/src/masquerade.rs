//! Masquerade: packets of a network's containers leave the host with the host's own address.
//!
//! Every subnet of a network is one element, whatever number of containers it has. Networks that share a
//! subnet on one bridge share its element, which then names them all.

use ipnetwork::IpNetwork;
use vocab::{InterfaceName, NetworkName};

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::{COMMENT_MAX, Element};
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;
use crate::owner::Owner;
use crate::ruleset::Set;
use crate::skeleton::{MASQUERADE4, MASQUERADE6, PACKETS, POSTROUTING};
use crate::table;

/// Between the owners in a comment; neither character occurs in an owner.
const BETWEEN_OWNERS: &str = ", ";

/// The subnets of a network that are to be masqueraded.
#[derive(Debug, Clone, Copy)]
pub struct Masquerade<'a> {
    /// Whose subnets they are.
    pub network: &'a NetworkName,
    /// The host's interface through which the containers' packets are routed: the bridge, or the one that
    /// stands in for it where the bridge itself is not the gateway (`BRIDGE.VLAN`).
    pub interface: &'a InterfaceName,
    /// Bits of the host's part do not matter: `10.22.0.5/16` stands for `10.22.0.0/16`.
    pub subnets: &'a [IpNetwork],
}

/// A subnet that is masqueraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masqueraded {
    /// The host's interface through which its packets come.
    pub interface: InterfaceName,
    /// The addresses.
    pub subnet: IpNetwork,
    /// The networks that asked for it.
    pub owners: Vec<Owner>,
}

/// Why a network is not masqueraded as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be made so.
    #[error("add masquerade of {} behind {:?}", list(subnets), interface.as_str())]
    Add {
        /// Which addresses.
        subnets: Vec<IpNetwork>,
        /// Through which interface they come.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be looked at.
    #[error("look for masquerade of {} behind {:?}", list(subnets), interface.as_str())]
    Find {
        /// Which addresses.
        subnets: Vec<IpNetwork>,
        /// Through which interface they come.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be listed.
    #[error("list the masqueraded subnets")]
    List {
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be ended.
    #[error("remove masquerade of network {network}")]
    Remove {
        /// Whose.
        network: NetworkName,
        /// What nf_tables says.
        source: channel::Error,
    },
}

fn list(subnets: &[IpNetwork]) -> String {
    subnets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Add { source, .. }
            | Self::Find { source, .. }
            | Self::List { source }
            | Self::Remove { source, .. } => source.hint(),
        }
    }
}

impl Firewall {
    /// Masquerades a network's subnets, unless it is done already: then one question suffices.
    ///
    /// # Errors
    /// [`Error::Add`]; then nothing was added.
    pub fn ensure_masquerade(&mut self, masquerade: &Masquerade<'_>) -> Result<Ensured, Error> {
        self.attempt(|channel| ensure(channel, masquerade)).map_err(|source| Error::Add {
            subnets: masquerade.subnets.to_vec(),
            interface: masquerade.interface.clone(),
            source,
        })
    }

    /// Whether the network is masqueraded.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_masquerade(&mut self, masquerade: &Masquerade<'_>) -> Result<Standing, Error> {
        self.attempt(|channel| find(channel, masquerade)).map_err(|source| Error::Find {
            subnets: masquerade.subnets.to_vec(),
            interface: masquerade.interface.clone(),
            source,
        })
    }

    /// All subnets that are masqueraded.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn list_masquerades(&mut self) -> Result<Vec<Masqueraded>, Error> {
        let elements = self.attempt(|channel| {
            let mut elements = table::elements(channel, &PACKETS, &MASQUERADE4)?;
            elements.extend(table::elements(channel, &PACKETS, &MASQUERADE6)?);
            Ok(elements)
        });
        let elements = elements.map_err(|source| Error::List { source })?;
        Ok(elements.iter().filter_map(Masqueraded::from_element).collect())
    }

    /// Ends the masquerade of all of a network's subnets. Not for a failed ADD: other containers of the
    /// network may by then rely on what that ADD made.
    ///
    /// # Errors
    /// [`Error::Remove`]; then nothing was removed.
    pub fn remove_masquerade(&mut self, network: &NetworkName) -> Result<Removed, Error> {
        let owner = Owner::network(network);
        self.attempt(|channel| {
            let generation = channel.generation()?;
            let mut batch = Batch::guarded(generation);
            for set in [&MASQUERADE4, &MASQUERADE6] {
                let elements = table::elements(channel, &PACKETS, set)?;
                disown(&mut batch, set, &elements, |found| *found != owner);
            }
            let removed = if batch.changes.is_empty() { Removed::Before } else { Removed::Now };
            channel.commit(batch)?;
            Ok(removed)
        })
        .map_err(|source| Error::Remove { network: network.clone(), source })
    }
}

/// Takes owners away from elements, and elements without an owner out of the set. Returns how many.
pub(crate) fn disown(
    batch: &mut Batch,
    set: &Set,
    elements: &[Element],
    keep: impl Fn(&Owner) -> bool,
) -> usize {
    let mut removed = 0;
    for element in elements {
        let owners = owners_of(element);
        let kept: Vec<_> = owners.iter().filter(|owner| keep(owner)).cloned().collect();
        if kept.len() == owners.len() {
            continue;
        }
        batch.delete(&PACKETS, set, std::slice::from_ref(element));
        if kept.is_empty() {
            removed += 1;
        } else {
            batch.add(&PACKETS, set, &[element.clone().with_comment(&comment_of(&kept))]);
        }
    }
    removed
}

fn ensure(channel: &mut Channel, masquerade: &Masquerade<'_>) -> Result<Ensured, channel::Error> {
    let owner = Owner::network(masquerade.network);
    let wanted: Vec<_> = masquerade.elements(&owner);
    let (is_current, found) = look(channel, &wanted)?;
    if !is_current {
        let additions = by_set(&wanted);
        table::install(channel, &PACKETS, &additions)?;
        // Others may have installed it meanwhile, or an outdated table's elements were kept instead.
        let (_, found) = look(channel, &wanted)?;
        return ensure_elements(channel, &wanted, found).map(|_| Ensured::Added);
    }
    ensure_elements(channel, &wanted, found)
}

fn ensure_elements(
    channel: &mut Channel,
    wanted: &[(&'static Set, Element)],
    found: Vec<Option<Element>>,
) -> Result<Ensured, channel::Error> {
    let mut missing = Vec::new();
    for ((set, element), found) in wanted.iter().zip(found) {
        match found {
            None => missing.push((*set, element.clone())),
            Some(found) if is_served_by(element, &found) => {}
            Some(_) => return share(channel, wanted),
        }
    }
    if missing.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    let mut batch = Batch::default();
    for (set, elements) in by_set(&missing) {
        batch.add(&PACKETS, set, &elements);
    }
    match channel.commit(batch) {
        // Another network has a part of it: a set of ranges cannot hold ranges that overlap.
        Err(channel::Error::Refused { errno: nix::errno::Errno::EEXIST, .. }) => share(channel, wanted),
        done => done.map(|()| Ensured::Added),
    }
}

/// Makes elements that other networks have a part in: their owners are joined, and of nested subnets the
/// widest remains.
fn share(channel: &mut Channel, wanted: &[(&'static Set, Element)]) -> Result<Ensured, channel::Error> {
    let mut batch = Batch::guarded(channel.generation()?);
    for (set, element) in wanted {
        let existing = table::elements(channel, &PACKETS, set)?;
        if let Some(merge) = plan_merge(&existing, element) {
            batch.delete(&PACKETS, set, &merge.replaced);
            batch.add(&PACKETS, set, &[merge.element]);
        }
    }
    if batch.changes.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    channel.commit(batch)?;
    Ok(Ensured::Added)
}

/// An element that takes the place of others.
#[derive(Debug, PartialEq, Eq)]
struct Merge {
    replaced: Vec<Element>,
    element: Element,
}

fn plan_merge(existing: &[Element], wanted: &Element) -> Option<Merge> {
    let replaced: Vec<_> = existing.iter().filter(|other| overlap(other, wanted)).cloned().collect();
    // Subnets that overlap are nested: either one of the others holds ours, or ours holds them all.
    let widest = replaced.iter().find(|other| covers(other, wanted)).unwrap_or(wanted).clone();
    let mut owners: Vec<Owner> = Vec::new();
    for owner in replaced.iter().chain([wanted]).flat_map(owners_of) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    let element = widest.with_comment(&comment_of(&owners));
    (replaced.as_slice() != std::slice::from_ref(&element)).then_some(Merge { replaced, element })
}

fn find(channel: &mut Channel, masquerade: &Masquerade<'_>) -> Result<Standing, channel::Error> {
    let wanted = masquerade.elements(&Owner::network(masquerade.network));
    let (is_current, found) = look(channel, &wanted)?;
    if !is_current {
        return Ok(Standing::RulesMissing);
    }
    let pairs = wanted.iter().zip(&found);
    let missing =
        pairs.filter(|((_, element), found)| !found.as_ref().is_some_and(|found| covers(found, element)));
    let missing: Vec<_> = missing.map(|((_, element), _)| describe(element)).collect();
    Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
}

fn describe(element: &Element) -> String {
    let subnet = element.to_subnet().map(|subnet| subnet.to_string()).unwrap_or_default();
    let interface = element.to_interface().map(|name| name.to_string()).unwrap_or_default();
    format!("{subnet} behind {interface:?}")
}

/// Asks for the rules and for the elements, in one go.
fn look(
    channel: &mut Channel,
    wanted: &[(&'static Set, Element)],
) -> Result<(bool, Vec<Option<Element>>), channel::Error> {
    let mut questions = vec![table::question(&PACKETS, &POSTROUTING)];
    let family = PACKETS.family.into();
    questions
        .extend(wanted.iter().map(|(set, element)| (family, message::get_element(&PACKETS, set, element))));
    let answers = channel.ask(questions)?;
    let is_current = table::is_current(&PACKETS, &POSTROUTING, answers.first().and_then(Option::as_deref));
    let found = answers.into_iter().skip(1);
    Ok((is_current, found.map(|answer| Element::parse_list(&answer?).into_iter().next()).collect()))
}

impl Masquerade<'_> {
    fn elements(&self, owner: &Owner) -> Vec<(&'static Set, Element)> {
        let mut elements: Vec<(&'static Set, Element)> = Vec::with_capacity(self.subnets.len());
        for subnet in self.subnets {
            let set = if subnet.is_ipv4() { &MASQUERADE4 } else { &MASQUERADE6 };
            let element = Element::interface_subnet(self.interface, *subnet).with_comment(owner.as_str());
            // Two addresses of one subnet make one element.
            if !elements.iter().any(|(_, other)| *other == element) {
                elements.push((set, element));
            }
        }
        elements
    }
}

impl Masqueraded {
    fn from_element(element: &Element) -> Option<Self> {
        let (interface, subnet) = (element.to_interface()?, element.to_subnet()?);
        Some(Self { interface, subnet, owners: owners_of(element) })
    }
}

fn by_set(elements: &[(&'static Set, Element)]) -> Vec<table::Addition> {
    let of = |wanted: &'static Set| {
        let elements = elements.iter().filter(|(set, _)| *set == wanted);
        (wanted, elements.map(|(_, element)| element.clone()).collect())
    };
    vec![of(&MASQUERADE4), of(&MASQUERADE6)]
}

/// Whether nothing is left to be done for `wanted` when `found` is there.
fn is_served_by(wanted: &Element, found: &Element) -> bool {
    covers(found, wanted) && {
        let owners = owners_of(found);
        let wanted = owners_of(wanted);
        wanted.iter().all(|owner| owners.contains(owner)) || !fits(&owners, &wanted)
    }
}

fn covers(wider: &Element, narrower: &Element) -> bool {
    wider.key <= narrower.key && narrower.key_end <= wider.key_end
}

fn overlap(one: &Element, other: &Element) -> bool {
    one.key_end.as_ref() >= Some(&other.key) && other.key_end.as_ref() >= Some(&one.key)
}

fn owners_of(element: &Element) -> Vec<Owner> {
    let comment = element.comment().unwrap_or_default();
    comment.split(BETWEEN_OWNERS).filter(|owner| !owner.is_empty()).map(Owner::from_comment).collect()
}

/// As many owners as fit; those that came first have precedence.
fn comment_of(owners: &[Owner]) -> String {
    let mut comment = String::new();
    for owner in owners {
        let gap = if comment.is_empty() { "" } else { BETWEEN_OWNERS };
        if comment.len() + gap.len() + owner.as_str().len() <= COMMENT_MAX {
            comment.push_str(gap);
            comment.push_str(owner.as_str());
        }
    }
    comment
}

/// Whether a comment has room for both.
fn fits(owners: &[Owner], more: &[Owner]) -> bool {
    let both: Vec<_> = owners.iter().chain(more).cloned().collect();
    let length: usize = both.iter().map(|owner| owner.as_str().len() + BETWEEN_OWNERS.len()).sum();
    length <= COMMENT_MAX + BETWEEN_OWNERS.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(subnet: &str, comment: &str) -> Element {
        let interface = InterfaceName::new("cni0").unwrap();
        Element::interface_subnet(&interface, subnet.parse().unwrap()).with_comment(comment)
    }

    #[test]
    fn a_subnet_that_another_network_has_gets_a_second_owner() {
        let existing = [element("10.1.0.0/16", "one"), element("10.2.0.0/16", "other")];
        let merge = plan_merge(&existing, &element("10.1.0.0/16", "two")).unwrap();
        assert_eq!(merge.replaced, [element("10.1.0.0/16", "one")]);
        assert_eq!(merge.element, element("10.1.0.0/16", "one, two"));
        assert_eq!(plan_merge(&[merge.element], &element("10.1.0.0/16", "one")), None);
    }

    #[test]
    fn of_nested_subnets_the_widest_remains() {
        let wide = element("10.1.0.0/16", "wide");
        let narrow = element("10.1.5.0/24", "narrow");
        let merge = plan_merge(std::slice::from_ref(&wide), &narrow).unwrap();
        assert_eq!(
            (merge.replaced, merge.element),
            (vec![wide.clone()], element("10.1.0.0/16", "wide, narrow"))
        );
        let others = [narrow.clone(), element("10.1.6.0/24", "third")];
        let merge = plan_merge(&others, &wide).unwrap();
        assert_eq!((merge.replaced.len(), merge.element), (2, element("10.1.0.0/16", "narrow, third, wide")));
    }

    #[test]
    fn the_same_subnet_behind_another_bridge_is_another_matter() {
        let other = InterfaceName::new("cni1").unwrap();
        let other = Element::interface_subnet(&other, "10.1.0.0/16".parse().unwrap()).with_comment("other");
        let wanted = element("10.1.0.0/16", "mine");
        let merge = plan_merge(&[other], &wanted).unwrap();
        assert_eq!((merge.replaced, merge.element), (vec![], wanted));
    }

    #[test]
    fn owners_that_no_comment_can_hold_change_nothing() {
        let many = element("10.1.0.0/16", &["n".repeat(60), "m".repeat(60)].join(", "));
        let wanted = element("10.1.0.0/16", "another");
        assert!(is_served_by(&wanted, &many));
        assert_eq!(plan_merge(&[many], &wanted), None);
    }

    #[test]
    fn the_last_owner_takes_the_element_along() {
        let elements =
            [element("10.1.0.0/16", "one, two"), element("10.2.0.0/16", "one"), element("10.3.0.0/16", "")];
        let mut batch = Batch::default();
        let removed = disown(&mut batch, &MASQUERADE4, &elements, |owner| owner.as_str() != "one");
        assert_eq!((removed, batch.changes.len()), (1, 3));
    }

    #[test]
    fn an_error_names_what_was_tried_and_with_whom() {
        let errno = nix::errno::Errno::EPERM;
        let error = Error::Add {
            subnets: vec!["10.22.0.0/16".parse().unwrap(), "fd22::/64".parse().unwrap()],
            interface: InterfaceName::new("cni0").unwrap(),
            source: channel::Error::Refused { request: "add an element", errno, text: None },
        };
        assert_eq!(error.to_string(), "add masquerade of 10.22.0.0/16, fd22::/64 behind \"cni0\"");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "nf_tables refused to add an element: EPERM: Operation not permitted");
    }
}
