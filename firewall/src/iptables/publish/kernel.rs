//! The table as the kernel tells it, and changes without a program: possible where iptables is the kind that keeps
//! its rules in nf_tables.

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{NfTablesMessage, RuleAttribute, RuleMessage};

use super::label::{CHAIN_PREFIX, DNAT, MASQUERADE, OLD_SNAT, SET_MARK};
use super::rule::Rule;
use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::foreign::sweep::{self, Chain, Marks};
use crate::foreign::{Place, RULE_HANDLE};
use crate::iptables::NAT;
use crate::{message, wire};

/// `NFTA_RULE_CHAIN` and `NFTA_CHAIN_USE`.
const RULE_CHAIN: u16 = 2;
const CHAIN_USE: u16 = 6;

mod prepare;
mod steps;

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

impl Table<'_> {
    /// How many rules each of these chains has or is led to by; `None` where there is no such chain.
    pub(super) fn uses(&mut self, chains: &[&str]) -> Result<Vec<Option<u32>>, channel::Error> {
        let questions = chains.iter().map(|chain| self.place(chain).question());
        let answers = self.channel.ask(questions.collect())?;
        let number =
            |answer: Vec<u8>| wire::attribute(&answer, CHAIN_USE).and_then(wire::number).unwrap_or_default();
        Ok(answers.into_iter().map(|answer| answer.map(number)).collect())
    }

    fn place<'a>(&self, chain: &'a str) -> Place<'a> {
        Place { family: self.family, table: NAT, chain }
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

    /// Takes away these chains of containers and all that leads there, and what all containers share with the last, the
    /// table included if it was made for that. Returns whether there was any.
    pub(super) fn remove(&mut self, chains: &[String]) -> Result<bool, channel::Error> {
        if chains.is_empty() {
            return Ok(false);
        }
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
        // Another one's chain without rules is being filled just now, or was flushed.
        if is_last {
            let chains = sweep::chains(self.channel, self.family, &sweep::NAT)?;
            let mut containers = chains.iter().filter(|chain| chain.name.starts_with(CHAIN_PREFIX));
            if containers.all(|chain| there.contains(&chain.name.as_str())) {
                self.remove_shared(&mut batch, &rules, &there)?;
                sweep::complete(self.channel, &mut batch, self.family, &sweep::NAT, marks_of(&chains))?;
            }
        }
        self.channel.commit(batch)?;
        Ok(true)
    }

    /// The rules of these chains and those that lead there, and whether they are the last. `uses` is how many there
    /// must be.
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

/// Whether the chain by which all begins is one that we made, with all that it needed.
fn marks_of(chains: &[Chain]) -> Marks {
    match chains.iter().find(|chain| chain.name == DNAT) {
        Some(chain) if !chain.is_marked() => Marks::Silent,
        _ => Marks::Tell,
    }
}

impl KernelRule {
    fn handle(&self) -> u64 {
        self.handle
    }

    fn parse(attributes: &[u8]) -> Option<Self> {
        Some(Self {
            chain: wire::attribute(attributes, RULE_CHAIN).and_then(wire::text)?.to_owned(),
            handle: wire::attribute(attributes, RULE_HANDLE).and_then(wire::long_number)?,
            rule: Rule::from_attributes(attributes),
        })
    }
}
