//! Rules and sets in tables that are not ours: what iptables keeps there, and the chains of others that drop.
//!
//! Our own tables are values that are installed as a whole (`ruleset`). Here single rules stand among those of others,
//! so they are read, too: a rule is a list of [`Step`]s in either direction, and two rules are the same when their
//! steps are, whatever their counters say.

pub(crate) mod set;
pub(crate) mod step;
pub(crate) mod sweep;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Hook as HookAttribute, HookNumber, InetHookNumber, NfTablesMessage,
    RuleAttribute, RuleMessage, TableAttribute, TableMessage,
};

use crate::batch::{Batch, Change};
use crate::channel::{Channel, Error, Question};
use crate::element;
use crate::message;
use crate::wire;

pub(crate) use step::Step;

/// `NFTA_RULE_HANDLE`, `NFTA_RULE_EXPRESSIONS` and `NFTA_RULE_USERDATA`.
pub(crate) const RULE_HANDLE: u16 = 3;
pub(crate) const RULE_EXPRESSIONS: u16 = 4;
pub(crate) const RULE_USERDATA: u16 = 7;
/// `NFTA_CHAIN_TABLE`, `NFTA_CHAIN_NAME`, `NFTA_CHAIN_HOOK` with `NFTA_HOOK_HOOKNUM`, and `NFTA_CHAIN_POLICY`.
const CHAIN_TABLE: u16 = 1;
const CHAIN_NAME: u16 = 3;
const CHAIN_HOOK: u16 = 4;
const HOOK_NUMBER: u16 = 1;
const CHAIN_POLICY: u16 = 5;
/// `NF_INET_FORWARD`.
const FORWARD: u32 = 2;
/// `NF_DROP` and `NF_ACCEPT`.
pub(crate) const DROP: u32 = 0;
pub(crate) const ACCEPT: u32 = 1;

/// A chain of somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) family: NetfilterProtoFamily,
    pub(crate) table: &'a str,
    pub(crate) chain: &'a str,
}

/// Which packets pass a base chain by themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// `filter` or `nat`.
    pub(crate) kind: &'static str,
    pub(crate) hook: InetHookNumber,
    /// Those with lower numbers come first.
    pub(crate) priority: i32,
}

/// A rule as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) handle: u64,
    pub(crate) steps: Vec<Step>,
    pub(crate) comment: Option<String>,
}

/// A base chain at the hook where packets are forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForwardChain {
    pub(crate) family: NetfilterProtoFamily,
    pub(crate) table: String,
    pub(crate) name: String,
    /// Whether it drops what none of its rules took.
    pub(crate) drops: bool,
}

impl ForwardChain {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { family: self.family, table: &self.table, chain: &self.name }
    }

    fn parse(family: NetfilterProtoFamily, chain: &[u8]) -> Option<Self> {
        let text = |kind| wire::attribute(chain, kind).and_then(wire::text).map(str::to_owned);
        let hook = wire::nested(chain, &[CHAIN_HOOK, HOOK_NUMBER]).and_then(wire::number)?;
        let policy = wire::attribute(chain, CHAIN_POLICY).and_then(wire::number);
        let chain =
            Self { family, table: text(CHAIN_TABLE)?, name: text(CHAIN_NAME)?, drops: policy == Some(DROP) };
        (hook == FORWARD).then_some(chain)
    }
}

impl Place<'_> {
    /// Asks whether it is there.
    pub(crate) fn question(self) -> Question {
        (self.family, message::get_chain(self.table, self.chain))
    }
}

/// All base chains of a family at the hook where packets are forwarded.
pub(crate) fn forward_chains(
    channel: &mut Channel,
    family: NetfilterProtoFamily,
) -> Result<Vec<ForwardChain>, Error> {
    let all = NfTablesMessage::GetChain(ChainMessage { attributes: Vec::new() });
    let chains = channel.list(family, all)?;
    Ok(chains.iter().filter_map(|chain| ForwardChain::parse(family, chain)).collect())
}

/// The rules of a chain in their order; none if there is no such chain.
pub(crate) fn rules(channel: &mut Channel, place: Place<'_>) -> Result<Vec<Rule>, Error> {
    let rules = channel.list(place.family, message::get_rules(place.table, place.chain))?;
    Ok(rules.iter().filter_map(|rule| parse(rule)).collect())
}

/// The rules of a chain that may be long: those at its head up to the first that decides something, and behind it those
/// in which one of these values occurs. To pass a rule over takes a small part of the time that reading it takes.
pub(crate) fn rules_about(
    channel: &mut Channel,
    place: Place<'_>,
    values: &[Vec<u8>],
) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let mut is_head = true;
    for message in channel.list(place.family, message::get_rules(place.table, place.chain))? {
        if is_head || values.iter().any(|value| holds(&message, value)) {
            let rule = parse(&message);
            is_head &= rule.as_ref().is_none_or(Rule::jumps);
            rules.extend(rule);
        }
    }
    Ok(rules)
}

/// Whether an attribute's value may begin so; attributes begin at multiples of four, and what is looked for is no shorter.
fn holds(message: &[u8], value: &[u8]) -> bool {
    // Comparing arrays is one instruction, comparing slices is a call; there are a hundred words in a rule.
    let (Some(head), (words, _)) = (value.first_chunk::<4>(), message.as_chunks::<4>()) else { return false };
    words.iter().enumerate().any(|(at, word)| word == head && message[4 * at..].starts_with(value))
}

impl Rule {
    /// Whether it only asks the rules of another chain.
    pub(crate) fn jumps(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Jump(_)))
    }
}

fn parse(rule: &[u8]) -> Option<Rule> {
    let handle = wire::attribute(rule, RULE_HANDLE).and_then(wire::long_number)?;
    let expressions = wire::attribute(rule, RULE_EXPRESSIONS).unwrap_or_default();
    let comment = wire::attribute(rule, RULE_USERDATA).and_then(element::comment).map(str::to_owned);
    Some(Rule { handle, steps: step::parse_list(expressions), comment })
}

impl Batch {
    /// Makes an empty table as iptables makes it, and marks it: it goes with the last that is in it ([`sweep`]).
    pub(crate) fn create_foreign_table(&mut self, place: Place<'_>) {
        let attributes = vec![
            TableAttribute::Name(place.table.to_owned()),
            TableAttribute::UserData(element::comment_userdata(sweep::MADE)),
        ];
        self.change(place.family, NfTablesMessage::NewTable(TableMessage { attributes }));
    }

    /// Makes a chain that others jump to, and marks it.
    pub(crate) fn create_foreign_chain(&mut self, place: Place<'_>) {
        self.create_commented_chain(place, sweep::MADE);
    }

    /// Makes a chain that others jump to.
    pub(crate) fn create_commented_chain(&mut self, place: Place<'_>, comment: &str) {
        let mut attributes = chain_name(place);
        attributes.push(ChainAttribute::UserData(element::comment_userdata(comment)));
        self.change(place.family, NfTablesMessage::NewChain(ChainMessage { attributes }));
    }

    /// Makes a chain through which packets pass by themselves, as iptables makes it: it accepts. And marks it.
    pub(crate) fn create_base_chain(&mut self, place: Place<'_>, way: &Way) {
        let mut attributes = chain_name(place);
        attributes.extend([
            ChainAttribute::Hook(vec![
                HookAttribute::Number(HookNumber::Inet(way.hook)),
                HookAttribute::Priority(way.priority.cast_unsigned()),
            ]),
            ChainAttribute::Policy(ACCEPT),
            ChainAttribute::Type(way.kind.to_owned()),
            ChainAttribute::UserData(element::comment_userdata(sweep::MADE)),
        ]);
        self.change(place.family, NfTablesMessage::NewChain(ChainMessage { attributes }));
    }

    /// Adds a rule to a chain: before the one that has the handle, or at the end.
    pub(crate) fn add_rule(
        &mut self,
        place: Place<'_>,
        before: Option<u64>,
        steps: &[Step],
        comment: Option<&str>,
    ) {
        let mut attributes = vec![
            RuleAttribute::Table(place.table.to_owned()),
            RuleAttribute::Chain(place.chain.to_owned()),
            RuleAttribute::Expressions(steps.iter().map(Step::compile).collect()),
        ];
        attributes.extend(before.map(RuleAttribute::Position));
        attributes.extend(comment.map(|comment| RuleAttribute::UserData(element::comment_userdata(comment))));
        self.change(place.family, NfTablesMessage::NewRule(RuleMessage { attributes }));
    }

    /// Deletes a rule.
    pub(crate) fn remove_rule(&mut self, place: Place<'_>, handle: u64) {
        self.delete_rule(place.family, place.table, place.chain, handle);
    }

    pub(crate) fn change(&mut self, family: NetfilterProtoFamily, message: NfTablesMessage) {
        self.changes.push(Change { family, message, exclusive: false });
    }
}

fn chain_name(place: Place<'_>) -> Vec<ChainAttribute> {
    vec![ChainAttribute::Table(place.table.to_owned()), ChainAttribute::Name(place.chain.to_owned())]
}
