//! Masquerade: packets of a network's containers leave the host with the host's own address.
//!
//! Every subnet of a network is one element, whatever number of containers it has. Networks that share a
//! subnet on one bridge share its element, which then names them all.

mod share;

use ipnetwork::IpNetwork;
use nix::errno::Errno;
use vocab::{InterfaceName, NetworkName};

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;
use crate::owner::Owner;
use crate::owners::{disown, owners_of};
use crate::ruleset::Set;
use crate::skeleton::sets::{MASQUERADE4, MASQUERADE6};
use crate::skeleton::{PACKETS, POSTROUTING};
use crate::table;

use share::{Merge, covers, is_served_by, plan_merge};

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

fn ensure(channel: &mut Channel, masquerade: &Masquerade<'_>) -> Result<Ensured, channel::Error> {
    let wanted = masquerade.elements(&Owner::network(masquerade.network));
    if wanted.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    let (is_current, found) = look(channel, &wanted)?;
    if is_current {
        return ensure_elements(channel, &wanted, found);
    }
    table::install(channel, &PACKETS, &by_set(&wanted))?;
    // Others may have installed it meanwhile, or an outdated table's elements were kept instead.
    let (_, found) = look(channel, &wanted)?;
    ensure_elements(channel, &wanted, found).map(|_| Ensured::Added)
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
        // Another network has a part of it: there are overlapping ranges that no set can hold.
        Err(channel::Error::Refused { errno: Errno::EEXIST, .. }) => share(channel, wanted),
        done => done.map(|()| Ensured::Added),
    }
}

/// Makes elements that other networks have a part in: their owners are joined, and of nested subnets the
/// widest remains.
fn share(channel: &mut Channel, wanted: &[(&'static Set, Element)]) -> Result<Ensured, channel::Error> {
    let mut batch = Batch::guarded(channel.generation()?);
    for (set, wanted) in by_set(wanted) {
        let mut existing = table::elements(channel, &PACKETS, set)?;
        for wanted in wanted {
            let Some(Merge { replaced, element }) = plan_merge(&existing, &wanted) else { continue };
            batch.delete(&PACKETS, set, &replaced);
            batch.add(&PACKETS, set, std::slice::from_ref(&element));
            existing.retain(|other| !replaced.contains(other));
            existing.push(element);
        }
    }
    if batch.changes.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    channel.commit(batch)?;
    Ok(Ensured::Added)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Request;

    #[test]
    fn an_error_names_what_was_tried_and_with_whom() {
        let error = Error::Add {
            subnets: vec!["10.22.0.0/16".parse().unwrap(), "fd22::/64".parse().unwrap()],
            interface: InterfaceName::new("cni0").unwrap(),
            source: channel::Error::Refused {
                request: Request::AddElements,
                errno: Errno::EPERM,
                text: None,
            },
        };
        assert_eq!(error.to_string(), "add masquerade of 10.22.0.0/16, fd22::/64 behind \"cni0\"");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "nf_tables refused to add elements: EPERM: Operation not permitted");
    }
}
