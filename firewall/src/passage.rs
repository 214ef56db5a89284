//! The way for containers' packets through chains of others that drop what they do not know.
//!
//! In nftables every base chain at a hook has its say: what one accepts another may still drop. So the way is opened
//! in each chain that drops, by three rules at its head that never change and a set beside them: a container's
//! address is an element of it, with its owner as the comment. Sets and rules go with the last element.
//!
//! iptables' own chains have rules of their own: [`crate::iptables::forward`].

use std::net::IpAddr;

use netlink_packet_netfilter::NetfilterProtoFamily;
use nix::errno::Errno;

use crate::batch::Batch;
use crate::channel::{self, Channel, Request};
use crate::element::Element;
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::foreign::set::{self, SetPlace};
use crate::foreign::{self, ACCEPT, ForwardChain, Step};
use crate::owner::Owner;

/// The sets of IPv4 and of IPv6 addresses.
const SETS: [&str; 2] = ["netctl_forward4", "netctl_forward6"];
/// What our rules bear as their comment.
const COMMENT: &str = "netctl: containers";
/// The table and the chain of iptables.
const IPTABLES: (&str, &str) = ("filter", "FORWARD");
/// Families of tables that see forwarded packets.
const FAMILIES: [NetfilterProtoFamily; 3] =
    [NetfilterProtoFamily::Inet, NetfilterProtoFamily::IPv4, NetfilterProtoFamily::IPv6];
/// `NFT_META_NFPROTO` with `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const FAMILY_KEY: u32 = 15;
const IPV4: u8 = 2;
const IPV6: u8 = 10;
/// `NFT_CT_STATE` with established and related, `NFT_CT_STATUS` with `IPS_DST_NAT`.
const STATE_KEY: u32 = 0;
const ANSWERS: u32 = 1 << 1 | 1 << 2;
const STATUS_KEY: u32 = 2;
const TRANSLATED: u32 = 1 << 5;

/// A container's addresses, whose packets are to pass.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// Whose they are.
    pub owner: &'a Owner,
    /// The addresses.
    pub addresses: &'a [IpAddr],
}

/// Why packets may not pass as they should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The way could not be opened.
    #[error("let packets of {owner} pass the chains of nftables that drop")]
    Add {
        /// Whose.
        owner: Owner,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be looked at.
    #[error("look for the chains of nftables that drop forwarded packets")]
    Find {
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be closed.
    #[error("remove addresses from the chains of nftables that drop")]
    Remove {
        /// What nf_tables says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (Self::Add { source, .. } | Self::Find { source } | Self::Remove { source }) = self;
        match (self, source.errno()) {
            // A table with an owner may be changed by nobody else, not even by root.
            (Self::Add { .. }, Some(Errno::EPERM)) => Some(
                "if this is root, a program keeps its table to itself (flags owner): let that program accept the \
                 network's packets"
                    .to_owned(),
            ),
            _ => source.hint(),
        }
    }
}

impl Firewall {
    /// Lets packets of a container pass every chain that drops forwarded packets. Where there is none, nothing is done.
    ///
    /// # Errors
    /// [`Error::Add`]; what was added in another table stays, for the removal that follows.
    pub fn ensure_passage(&mut self, passage: &Passage<'_>) -> Result<Ensured, Error> {
        let added = |source| Error::Add { owner: passage.owner.clone(), source };
        let mut ensured = Ensured::AlreadyThere;
        for gate in self.attempt(gates).map_err(added)? {
            let addresses = gate.addresses(passage);
            if !addresses.is_empty()
                && self.attempt(|channel| gate.ensure(channel, passage.owner, &addresses)).map_err(added)?
                    == Ensured::Added
            {
                ensured = Ensured::Added;
            }
        }
        Ok(ensured)
    }

    /// Whether packets of a container pass.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_passage(&mut self, passage: &Passage<'_>) -> Result<Standing, Error> {
        let missing = self.attempt(|channel| {
            let mut missing = Vec::new();
            for gate in gates(channel)? {
                let addresses = gate.addresses(passage);
                if !addresses.is_empty() {
                    missing.extend(gate.find(channel, passage.owner, &addresses)?);
                }
            }
            Ok(missing)
        });
        let missing = missing.map_err(|source| Error::Find { source })?;
        Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
    }

    /// Takes a container's addresses out of every table.
    ///
    /// # Errors
    /// [`Error::Remove`]; what was not removed is found again by the next removal.
    pub fn remove_passage(&mut self, owner: &Owner) -> Result<Removed, Error> {
        let removed = self.retain_passages(|found| found != owner)?;
        Ok(if removed == 0 { Removed::Before } else { Removed::Now })
    }

    /// Takes every address whose owner is not to be kept out of every table; returns how many. Addresses that name no
    /// owner were not put there by us and stay.
    ///
    /// # Errors
    /// [`Error::Remove`]; what was not removed is found again by the next removal.
    pub fn retain_passages(&mut self, keep: impl Fn(&Owner) -> bool) -> Result<usize, Error> {
        let mut removed = 0;
        let failed = |source| Error::Remove { source };
        for set in self.attempt(all_sets).map_err(failed)? {
            removed += self.attempt(|channel| retain(channel, &set, &keep)).map_err(failed)?;
            self.attempt(|channel| remove_if_empty(channel, &set)).map_err(failed)?;
        }
        Ok(removed)
    }
}

/// A set, and the chains beside it that drop.
struct Gate {
    set: SetPlace,
    chains: Vec<ForwardChain>,
}

impl Gate {
    fn is_ipv4(&self) -> bool {
        self.set.name == SETS[0]
    }

    fn addresses(&self, passage: &Passage<'_>) -> Vec<IpAddr> {
        passage.addresses.iter().copied().filter(|address| address.is_ipv4() == self.is_ipv4()).collect()
    }

    fn ensure(
        &self,
        channel: &mut Channel,
        owner: &Owner,
        addresses: &[IpAddr],
    ) -> Result<Ensured, channel::Error> {
        let generation = channel.generation()?;
        let found = self.look(channel, addresses)?;
        let wanted = |address: &IpAddr| set::element(*address).with_comment(owner.as_str());
        let mut batch = Batch::default();
        if !found.has_set || !found.rules.is_empty() {
            batch = Batch::guarded(generation);
        }
        if !found.has_set {
            self.set.create(&mut batch, 1, self.is_ipv4());
        }
        for (chain, first, rule) in &found.rules {
            batch.add_rule(self.chains[*chain].place(), *first, rule, Some(COMMENT));
        }
        for (address, element) in addresses.iter().zip(&found.elements) {
            match element {
                Some(element) if element.comment() == Some(owner.as_str()) => {}
                // Of somebody who had the address before: a lost DEL.
                Some(element) => {
                    self.set.delete(&mut batch, std::slice::from_ref(element));
                    self.set.add(&mut batch, &[wanted(address)]);
                }
                None => self.set.add(&mut batch, &[wanted(address)]),
            }
        }
        let ensured = if batch.changes.is_empty() { Ensured::AlreadyThere } else { Ensured::Added };
        channel.commit(batch)?;
        Ok(ensured)
    }

    fn find(
        &self,
        channel: &mut Channel,
        owner: &Owner,
        addresses: &[IpAddr],
    ) -> Result<Vec<String>, channel::Error> {
        let found = self.look(channel, addresses)?;
        let set = format!("set {} of table {}", self.set.name, self.set.table);
        let elements = addresses
            .iter()
            .zip(&found.elements)
            .filter(|(_, element)| element.as_ref().and_then(Element::comment) != Some(owner.as_str()));
        let rules = found
            .rules
            .iter()
            .map(|(chain, ..)| format!("a rule for {set} in chain {}", self.chains[*chain].name));
        Ok(elements.map(|(address, _)| format!("{address} in {set}")).chain(rules).collect())
    }

    fn look(&self, channel: &mut Channel, addresses: &[IpAddr]) -> Result<Found, channel::Error> {
        let mut questions = vec![self.set.question()];
        questions.extend(addresses.iter().map(|address| self.set.element_question(*address)));
        let mut answers = channel.ask(questions)?.into_iter();
        let has_set = answers.next().is_some_and(|answer| answer.is_some());
        let elements = answers.map(|answer| Element::parse_list(&answer?).into_iter().next()).collect();
        let mut rules = Vec::new();
        for (position, chain) in self.chains.iter().enumerate() {
            let found = foreign::rules(channel, chain.place())?;
            let first = found.first().map(|rule| rule.handle);
            let missing = rules_for(&self.set, self.is_ipv4());
            let missing = missing.into_iter().filter(|rule| !found.iter().any(|other| other.steps == *rule));
            rules.extend(missing.map(|rule| (position, first, rule)));
        }
        Ok(Found { has_set, elements, rules })
    }
}

/// What is there already.
struct Found {
    has_set: bool,
    /// Of each address.
    elements: Vec<Option<Element>>,
    /// The rules that are missing: in which of the chains, and what is the first rule there.
    rules: Vec<(usize, Option<u64>, Vec<Step>)>,
}

/// The chains that drop, by table and address family.
fn gates(channel: &mut Channel) -> Result<Vec<Gate>, channel::Error> {
    let mut gates: Vec<Gate> = Vec::new();
    for family in FAMILIES {
        for chain in foreign::forward_chains(channel, family)?.into_iter().filter(|chain| chain.drops) {
            if family != NetfilterProtoFamily::Inet && (&*chain.table, &*chain.name) == IPTABLES {
                continue;
            }
            for name in names_in(family) {
                let set = SetPlace { family, table: chain.table.clone(), name };
                match gates.iter_mut().find(|gate| gate.set == set) {
                    Some(gate) => gate.chains.push(chain.clone()),
                    None => gates.push(Gate { set, chains: vec![chain.clone()] }),
                }
            }
        }
    }
    Ok(gates)
}

fn names_in(family: NetfilterProtoFamily) -> impl Iterator<Item = &'static str> {
    let has = [NetfilterProtoFamily::IPv4, NetfilterProtoFamily::IPv6]
        .map(|version| family == NetfilterProtoFamily::Inet || family == version);
    SETS.into_iter().zip(has).filter(|(_, has)| *has).map(|(name, _)| name)
}

/// The rules of a chain that lead past what it drops: what containers send, answers to it, and connections whose
/// destination was translated, which somebody on this host has published. The policy says that anything else is not
/// welcome, and so it stays.
fn rules_for(set: &SetPlace, is_ipv4: bool) -> Vec<Vec<Step>> {
    let (version, length, source, destination) = if is_ipv4 { (IPV4, 4, 12, 16) } else { (IPV6, 16, 8, 24) };
    let begin = |offset| {
        let mut steps = Vec::new();
        // Where IPv4 and IPv6 packets pass, a rule that reads an IP header must first make sure of which.
        if set.family == NetfilterProtoFamily::Inet {
            steps.extend([Step::LoadMeta(FAMILY_KEY), Step::Equal(vec![version])]);
        }
        steps.extend([Step::LoadHeader { offset, length }, Step::InSet(set.name.to_owned())]);
        steps
    };
    let end = |mut steps: Vec<Step>, connection: Option<(u32, u32)>| {
        if let Some((key, bits)) = connection {
            let mask = bits.to_ne_bytes().to_vec();
            steps.extend([Step::LoadConnection(key), Step::Mask(mask), Step::NotEqual(vec![0; 4])]);
        }
        steps.push(Step::Decide(ACCEPT));
        steps
    };
    vec![
        end(begin(source), None),
        end(begin(destination), Some((STATE_KEY, ANSWERS))),
        end(begin(destination), Some((STATUS_KEY, TRANSLATED))),
    ]
}

fn all_sets(channel: &mut Channel) -> Result<Vec<SetPlace>, channel::Error> {
    let mut sets = Vec::new();
    for family in FAMILIES {
        sets.extend(set::find_named(channel, family, &SETS)?);
    }
    Ok(sets)
}

fn retain(
    channel: &mut Channel,
    set: &SetPlace,
    keep: &impl Fn(&Owner) -> bool,
) -> Result<usize, channel::Error> {
    let mut elements = set.elements(channel)?;
    elements.retain(|element| {
        let comment = element.comment().unwrap_or_default();
        !comment.is_empty() && !keep(&Owner::from_comment(comment))
    });
    // Unguarded: an element is looked for by its key, and one that is gone makes us look again.
    let mut batch = Batch::default();
    for some in elements.chunks(ELEMENTS_A_MESSAGE) {
        set.delete(&mut batch, some);
    }
    channel.commit(batch)?;
    Ok(elements.len())
}

/// So many elements with the longest comments stay below 64 KiB, the most that an attribute holds.
const ELEMENTS_A_MESSAGE: usize = 200;

/// Removes a set that has no elements any more, and the rules that look into it.
fn remove_if_empty(channel: &mut Channel, set: &SetPlace) -> Result<(), channel::Error> {
    let generation = channel.generation()?;
    let is_there = channel.ask(vec![set.question()])?.iter().all(Option::is_some);
    if !is_there || !set.elements(channel)?.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::guarded(generation);
    let chains = foreign::forward_chains(channel, set.family)?;
    for chain in chains.iter().filter(|chain| chain.table == set.table) {
        for rule in foreign::rules(channel, chain.place())? {
            let looks = rule.steps.contains(&Step::InSet(set.name.to_owned()));
            if looks && rule.comment.as_deref() == Some(COMMENT) {
                batch.remove_rule(chain.place(), rule.handle);
            }
        }
    }
    set.remove(&mut batch);
    match channel.commit(batch) {
        // An administrator's own rule looks into it: it stays, empty, and so do our rules.
        Err(channel::Error::Refused { request: Request::DeleteSet, errno: Errno::EBUSY, .. }) => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_both_versions_has_both_sets_and_others_their_own() {
        let names = |family| names_in(family).collect::<Vec<_>>();
        assert_eq!(names(NetfilterProtoFamily::Inet), SETS);
        assert_eq!(names(NetfilterProtoFamily::IPv4), SETS[..1]);
        assert_eq!(names(NetfilterProtoFamily::IPv6), SETS[1..]);
    }
}
