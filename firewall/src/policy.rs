//! Policy: who reaches the containers of a network, and whom they reach.
//!
//! A network that says nothing is in none of the sets, and nothing is decided about it, as with the reference plugins.
//! One that does has one element in each set that applies to it, whatever number of containers it has. Networks that
//! share an interface share its elements, which then name them all; the stricter wish holds for both.

use vocab::{InterfaceName, NetworkName};

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;
use crate::owner::Owner;
use crate::owners::{disown, owners_of, with_owner};
use crate::ruleset::Set;
use crate::skeleton::sets::{GUARDED, INSIDE, INTERNAL, ISOLATED, NETWORKS, SECLUDED};
use crate::skeleton::{FORWARD, PACKETS};
use crate::table;

/// Who comes in from outside, and who gets out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayMode {
    /// Everybody can come in who knows the way, and everybody gets out.
    Routed,
    /// From outside only published ports are reached. Other networks that have a policy are not outside.
    Nat,
    /// Nobody comes in and nobody gets out, published ports or not.
    Internal,
}

/// Whom the containers of a network reach on other networks and on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Everybody.
    Open,
    /// Of other networks that have a policy, only published ports; and the same the other way round.
    FromNetworks,
    /// The same, and nobody on their own network (Docker's `icc=false`), as far as the kernel asks: what a bridge
    /// passes on is only seen where `br_netfilter` shows it, so the ports of the bridge must be isolated, too.
    FromEverybody,
}

/// What a network says of who reaches whom. What it leaves out stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct NetworkPolicy<'a> {
    /// The network.
    pub network: &'a NetworkName,
    /// The host's interface through which its packets are routed.
    pub interface: &'a InterfaceName,
    /// Who comes in and gets out.
    pub gateway: Option<GatewayMode>,
    /// Whom its containers reach.
    pub isolation: Option<Isolation>,
}

/// Why a network's policy is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be made so.
    #[error("set the policy of network {network} behind {:?}", interface.as_str())]
    Set {
        /// Whose.
        network: NetworkName,
        /// Behind which interface.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be looked at.
    #[error("look for the policy of network {network} behind {:?}", interface.as_str())]
    Find {
        /// Whose.
        network: NetworkName,
        /// Behind which interface.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be ended.
    #[error("remove the policy of network {network}")]
    Remove {
        /// Whose.
        network: NetworkName,
        /// What nf_tables says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Set { source, .. } | Self::Find { source, .. } | Self::Remove { source, .. } => {
                source.hint()
            }
        }
    }
}

/// The sets whose elements make a policy.
const SETS: [&Set; 6] = [&NETWORKS, &INSIDE, &GUARDED, &INTERNAL, &ISOLATED, &SECLUDED];

impl Firewall {
    /// Makes a network's policy what it should be. A policy that it had before and no longer asks for ends.
    ///
    /// # Errors
    /// [`Error::Set`]; then nothing was changed.
    pub fn ensure_policy(&mut self, policy: &NetworkPolicy<'_>) -> Result<Ensured, Error> {
        self.attempt(|channel| ensure(channel, policy)).map_err(|source| Error::Set {
            network: policy.network.clone(),
            interface: policy.interface.clone(),
            source,
        })
    }

    /// Whether a network's policy is in force.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_policy(&mut self, policy: &NetworkPolicy<'_>) -> Result<Standing, Error> {
        self.attempt(|channel| find(channel, policy)).map_err(|source| Error::Find {
            network: policy.network.clone(),
            interface: policy.interface.clone(),
            source,
        })
    }

    /// Ends all policy of a network.
    ///
    /// # Errors
    /// [`Error::Remove`]; then nothing was removed.
    pub fn remove_policy(&mut self, network: &NetworkName) -> Result<Removed, Error> {
        let owner = Owner::network(network);
        self.attempt(|channel| {
            let mut batch = Batch::guarded(channel.generation()?);
            for set in SETS {
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

/// What is there when a policy is to be set.
struct Scene {
    generation: u32,
    is_current: bool,
    places: Vec<Place>,
}

/// An element that a policy has or must not have, and what is there.
struct Place {
    set: &'static Set,
    element: Element,
    is_wanted: bool,
    found: Option<Element>,
}

impl Place {
    fn has_owner(&self, owner: &Owner) -> bool {
        self.found.as_ref().is_some_and(|found| owners_of(found).contains(owner))
    }
}

fn ensure(channel: &mut Channel, policy: &NetworkPolicy<'_>) -> Result<Ensured, channel::Error> {
    let Scene { generation, is_current, places } = look(channel, policy)?;
    if !is_current {
        table::install(channel, &PACKETS, &[])?;
        return ensure(channel, policy).map(|_| Ensured::Added);
    }
    let owner = Owner::network(policy.network);
    let mut batch = Batch::guarded(generation);
    for place in &places {
        match &place.found {
            None if place.is_wanted => batch.add(&PACKETS, place.set, std::slice::from_ref(&place.element)),
            Some(found) if place.is_wanted => {
                if let Some(shared) = with_owner(found, &owner) {
                    batch.delete(&PACKETS, place.set, std::slice::from_ref(found));
                    batch.add(&PACKETS, place.set, &[shared]);
                }
            }
            Some(found) => {
                disown(&mut batch, place.set, std::slice::from_ref(found), |other| *other != owner);
            }
            None => {}
        }
    }
    if batch.changes.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    channel.commit(batch)?;
    Ok(Ensured::Added)
}

fn find(channel: &mut Channel, policy: &NetworkPolicy<'_>) -> Result<Standing, channel::Error> {
    let Scene { is_current, places, .. } = look(channel, policy)?;
    if !is_current {
        return Ok(Standing::RulesMissing);
    }
    let owner = Owner::network(policy.network);
    let is_missing = |place: &&Place| match place.is_wanted {
        true => place.found.is_none(),
        false => place.has_owner(&owner),
    };
    let describe = |place: &Place| {
        let not = if place.is_wanted { "" } else { " (which should not be there)" };
        format!("{:?} in set {}{not}", policy.interface.as_str(), place.set.name)
    };
    let missing: Vec<_> = places.iter().filter(is_missing).map(describe).collect();
    Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
}

/// Asks for the rules and for the elements, in one go.
fn look(channel: &mut Channel, policy: &NetworkPolicy<'_>) -> Result<Scene, channel::Error> {
    let mut places = plan(policy);
    let mut questions = vec![table::question(&PACKETS, &FORWARD)];
    let family = PACKETS.family.into();
    questions.extend(
        places.iter().map(|place| (family, message::get_element(&PACKETS, place.set, &place.element))),
    );
    let (generation, answers) = channel.ask_at_generation(questions)?;
    let is_current = table::is_current(&PACKETS, &FORWARD, answers.first().and_then(Option::as_deref));
    for (place, answer) in places.iter_mut().zip(answers.into_iter().skip(1)) {
        place.found = answer.and_then(|answer| Element::parse_list(&answer).into_iter().next());
    }
    Ok(Scene { generation, is_current, places })
}

/// Which elements a policy decides about.
fn plan(policy: &NetworkPolicy<'_>) -> Vec<Place> {
    let owner = Owner::network(policy.network);
    let place = |set: &'static Set, is_wanted| {
        let element = match set.key.len() {
            1 => Element::interface(policy.interface),
            _ => Element::interface_pair(policy.interface),
        };
        Place { set, element: element.with_comment(owner.as_str()), is_wanted, found: None }
    };
    let mut places = vec![place(&NETWORKS, true), place(&INSIDE, true)];
    if let Some(mode) = policy.gateway {
        places.push(place(&GUARDED, mode == GatewayMode::Nat));
        places.push(place(&INTERNAL, mode == GatewayMode::Internal));
    }
    if let Some(isolation) = policy.isolation {
        places.push(place(&ISOLATED, isolation != Isolation::Open));
        places.push(place(&SECLUDED, isolation == Isolation::FromEverybody));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(gateway: Option<GatewayMode>, isolation: Option<Isolation>) -> Vec<&'static str> {
        let (network, interface) = ("mynet".parse().unwrap(), "br0".parse().unwrap());
        let policy = NetworkPolicy { network: &network, interface: &interface, gateway, isolation };
        let places = plan(&policy);
        places.iter().filter(|place| place.is_wanted).map(|place| place.set.name).collect()
    }

    #[test]
    fn each_wish_has_its_sets() {
        let both = ["networks", "inside"];
        assert_eq!(wanted(Some(GatewayMode::Routed), None), both);
        assert_eq!(wanted(Some(GatewayMode::Nat), None), ["networks", "inside", "guarded"]);
        assert_eq!(wanted(Some(GatewayMode::Internal), None), ["networks", "inside", "internal"]);
        assert_eq!(wanted(None, Some(Isolation::Open)), both);
        assert_eq!(wanted(None, Some(Isolation::FromNetworks)), ["networks", "inside", "isolated"]);
        assert_eq!(
            wanted(None, Some(Isolation::FromEverybody)),
            ["networks", "inside", "isolated", "secluded"]
        );
    }

    #[test]
    fn what_is_left_out_is_not_asked_for() {
        let (network, interface) = ("mynet".parse().unwrap(), "br0".parse().unwrap());
        let policy =
            NetworkPolicy { network: &network, interface: &interface, gateway: None, isolation: None };
        assert_eq!(plan(&policy).len(), 2);
    }
}
