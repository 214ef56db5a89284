//! The table as the kernel tells it, and changes without a program: possible where iptables is the kind that keeps its
//! rules in nf_tables.

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{NfTablesMessage, RuleAttribute, RuleMessage};

use super::label::{DNAT, MASQUERADE, OLD_SNAT, SET_MARK};
use super::rule::Rule;
use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::iptables::NAT;
use crate::{message, wire};

/// `NFTA_RULE_CHAIN` and `NFTA_RULE_HANDLE`; `NFTA_CHAIN_USE`.
const RULE_CHAIN: u16 = 2;
const RULE_HANDLE: u16 = 3;
const CHAIN_USE: u16 = 6;

/// The table of one family.
pub(super) struct Table<'a> {
    pub(super) channel: &'a mut Channel,
    pub(super) family: NetfilterProtoFamily,
}

/// A rule and where it stands.
pub(super) struct KernelRule {
    chain: String,
    handle: u64,
    pub(super) rule: Rule,
}

/// What an ADD finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glance {
    /// Nothing was ever published here.
    Nothing,
    /// What containers share is complete, and the container has no chain.
    Ready,
    /// Something is half done or damaged.
    Mixed,
}

impl Table<'_> {
    /// How many rules each of these chains has or is led to by; `None` where there is no such chain.
    pub(super) fn uses(&mut self, chains: &[&str]) -> Result<Vec<Option<u32>>, channel::Error> {
        let questions = chains.iter().map(|chain| (self.family, message::get_chain(NAT, chain)));
        let answers = self.channel.ask(questions.collect())?;
        let number =
            |answer: Vec<u8>| wire::attribute(&answer, CHAIN_USE).and_then(wire::number).unwrap_or_default();
        Ok(answers.into_iter().map(|answer| answer.map(number)).collect())
    }

    /// The rules of a chain.
    pub(super) fn rules_of(&mut self, chain: &str) -> Result<Vec<KernelRule>, channel::Error> {
        self.list(message::get_rules(NAT, chain))
    }

    /// The rules that lead to containers' chains. Where nothing was ever published it takes one question.
    pub(super) fn entries(&mut self) -> Result<Vec<KernelRule>, channel::Error> {
        match self.uses(&[DNAT])?.iter().any(Option::is_some) {
            true => self.rules_of(DNAT),
            false => Ok(Vec::new()),
        }
    }

    /// All rules of the table.
    fn rules(&mut self) -> Result<Vec<KernelRule>, channel::Error> {
        let attributes = vec![RuleAttribute::Table(NAT.to_owned())];
        self.list(NfTablesMessage::GetRule(RuleMessage { attributes }))
    }

    fn list(&mut self, what: NfTablesMessage) -> Result<Vec<KernelRule>, channel::Error> {
        let answers = self.channel.list(self.family, what)?;
        Ok(answers.iter().filter_map(|answer| KernelRule::parse(answer)).collect())
    }

    /// Whether an ADD has more to do than to add what is the container's own.
    pub(super) fn glance(&mut self, own: &str, mark: Option<u32>) -> Result<Glance, channel::Error> {
        let uses = self.uses(&[DNAT, MASQUERADE, SET_MARK, own])?;
        if uses.iter().all(Option::is_none) {
            return Ok(Glance::Nothing);
        }
        let is_there = |position: usize| uses.get(position).is_some_and(Option::is_some);
        let mut is_ready = is_there(0) && !is_there(3);
        for chain in ["PREROUTING", "OUTPUT"] {
            is_ready = is_ready && self.jumps(chain, DNAT)? == 1;
        }
        if let Some(mark) = mark {
            is_ready = is_ready && is_there(1) && is_there(2) && self.jumps("POSTROUTING", MASQUERADE)? == 1;
            for chain in [MASQUERADE, SET_MARK] {
                is_ready =
                    is_ready && self.rules_of(chain)?.iter().any(|rule| rule.rule.marks.contains(&mark));
            }
        }
        Ok(if is_ready { Glance::Ready } else { Glance::Mixed })
    }

    fn jumps(&mut self, from: &str, to: &str) -> Result<usize, channel::Error> {
        Ok(self.rules_of(from)?.iter().filter(|rule| rule.rule.leads_to(to)).count())
    }

    /// Takes away these chains of containers and all that leads there, and what all containers share with the last.
    /// Returns whether there was any.
    pub(super) fn remove(&mut self, chains: &[String]) -> Result<bool, channel::Error> {
        let names: Vec<_> = chains.iter().map(String::as_str).collect();
        // A look first: without a chain nothing can lead there.
        if self.uses(&names)?.iter().all(Option::is_none) {
            return Ok(false);
        }
        let mut batch = Batch::guarded(self.channel.generation()?);
        let uses = self.uses(&names)?;
        let there: Vec<_> =
            names.iter().zip(&uses).filter(|(_, uses)| uses.is_some()).map(|(name, _)| *name).collect();
        if there.is_empty() {
            return Ok(false);
        }
        let (rules, is_last) = self.rules_about(&there, uses.iter().flatten().sum())?;
        for rule in rules.iter().filter(|rule| there.iter().any(|chain| rule.rule.leads_to(chain))) {
            batch.delete_rule(self.family, NAT, &rule.chain, rule.handle);
        }
        for chain in &there {
            batch.delete_chain(self.family, NAT, chain);
        }
        if is_last {
            self.remove_shared(&mut batch, &rules, &there)?;
        }
        self.channel.commit(batch)?;
        Ok(true)
    }

    /// The rules of these chains and those that lead there, and whether they are the last. `uses` is how many there must
    /// be.
    fn rules_about(&mut self, chains: &[&str], uses: u32) -> Result<(Vec<KernelRule>, bool), channel::Error> {
        let mut rules = Vec::new();
        for chain in [DNAT, OLD_SNAT].iter().chain(chains) {
            rules.extend(self.rules_of(chain)?);
        }
        let is_about = |rule: &KernelRule| {
            chains.contains(&rule.chain.as_str()) || chains.iter().any(|chain| rule.rule.leads_to(chain))
        };
        let about = rules.iter().map(|rule| {
            // A rule of one that leads to another counts for both.
            let ends = u32::from(chains.contains(&rule.chain.as_str()));
            ends + u32::from(chains.iter().any(|chain| rule.rule.leads_to(chain)))
        });
        let is_complete = about.sum::<u32>() == uses;
        let is_last = rules.iter().all(|rule| rule.chain != DNAT || is_about(rule));
        // The whole table only when somebody else leads there, too, or when little is left.
        let rules = if is_complete && !is_last { rules } else { self.rules()? };
        Ok((rules, is_last))
    }

    /// Takes away what all containers share, unless others lead there. `rules` are all of the table.
    fn remove_shared(
        &mut self,
        batch: &mut Batch,
        rules: &[KernelRule],
        gone: &[&str],
    ) -> Result<(), channel::Error> {
        let is_gone = |rule: &&KernelRule| {
            gone.contains(&rule.chain.as_str()) || gone.iter().any(|chain| rule.rule.leads_to(chain))
        };
        let left: Vec<_> = rules.iter().filter(|rule| !is_gone(rule)).collect();
        let shared: [(&str, &[&str]); 3] =
            [(DNAT, &["PREROUTING", "OUTPUT"]), (MASQUERADE, &["POSTROUTING"]), (SET_MARK, &[])];
        let is_needed = |(chain, ways): &(&str, &[&str])| {
            let mut jumps = left.iter().filter(|rule| rule.rule.leads_to(chain));
            jumps.any(|jump| !ways.contains(&jump.chain.as_str()))
        };
        if shared.iter().any(is_needed) {
            return Ok(());
        }
        let names = shared.map(|(chain, _)| chain);
        for jump in left.iter().filter(|rule| names.iter().any(|chain| rule.rule.leads_to(chain))) {
            batch.delete_rule(self.family, NAT, &jump.chain, jump.handle);
        }
        for (chain, _) in names.iter().zip(self.uses(&names)?).filter(|(_, uses)| uses.is_some()) {
            batch.delete_chain(self.family, NAT, chain);
        }
        Ok(())
    }
}

impl KernelRule {
    fn parse(attributes: &[u8]) -> Option<Self> {
        Some(Self {
            chain: wire::attribute(attributes, RULE_CHAIN).and_then(wire::text)?.to_owned(),
            handle: wire::attribute(attributes, RULE_HANDLE).and_then(wire::long_number)?,
            rule: Rule::from_attributes(attributes),
        })
    }
}
