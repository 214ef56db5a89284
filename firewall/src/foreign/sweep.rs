//! Tables and base chains of iptables that were made for our rules, once nothing is in them any more.
//!
//! iptables makes a table and a base chain when it has the first rule for them, and so do we in its stead. What we make
//! so bears a comment, which iptables neither lists nor loses. With the last rule it goes: the host is then as it was
//! before. What somebody else made stays, however empty it is: it was there before us.
//!
//! Who saves and restores a ruleset by iptables' programs makes everything anew, and the comments are lost; the
//! reference makes everything without. There the marks tell nothing ([`Marks::Silent`]), and a table goes if it is as
//! good as none: empty base chains of iptables' own that accept, and nothing else.

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, NfTablesMessage, RuleAttribute, RuleMessage, TableAttribute, TableMessage,
};

use super::{ACCEPT, CHAIN_HOOK, CHAIN_NAME, CHAIN_POLICY, CHAIN_TABLE, HOOK_NUMBER};
use crate::batch::Batch;
use crate::channel::{Channel, Error};
use crate::element;
use crate::firewall::Removed;
use crate::message;
use crate::wire;

/// What a table or chain bears that we made in iptables' stead.
pub(crate) const MADE: &str = "made by netctl";

/// `NFTA_TABLE_USE` and `NFTA_TABLE_USERDATA`, `NFTA_CHAIN_USE` and `NFTA_CHAIN_USERDATA`, `NFTA_HOOK_PRIORITY`.
const TABLE_USE: u16 = 3;
const TABLE_USERDATA: u16 = 6;
const CHAIN_USE: u16 = 6;
const CHAIN_USERDATA: u16 = 12;
const HOOK_PRIORITY: u16 = 2;

/// A table of iptables that we have rules in.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: &'static str,
    /// Its base chains: name, `NF_INET_…` and priority.
    base: &'static [(&'static str, u32, i32)],
    /// As long as there is a chain whose name begins so, everything is needed: by a container, or by an ADD whose
    /// program is about to fill it, and which found the base chains there.
    held_by: &'static [&'static str],
}

/// Where packets are let pass.
pub(crate) const FILTER: Shared = Shared {
    name: "filter",
    base: &[("INPUT", 1, 0), ("FORWARD", 2, 0), ("OUTPUT", 3, 0)],
    held_by: &["CNI-FORWARD", "CNI-ISOLATION-"],
};
/// Where addresses are translated.
pub(crate) const NAT: Shared = Shared {
    name: "nat",
    base: &[("PREROUTING", 0, -100), ("INPUT", 1, 100), ("OUTPUT", 3, -100), ("POSTROUTING", 4, 100)],
    held_by: &["CNI-"],
};

/// Whether it can be told who made what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Yes: what bears no mark is another's.
    Tell,
    /// No: what was certainly made for containers bears none, either.
    Silent,
}

/// A chain of such a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) name: String,
    /// How many rules are in it or lead to it.
    pub(crate) uses: u32,
    pub(crate) comment: Option<String>,
    base: Option<Base>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Base {
    hook: u32,
    priority: i32,
    accepts: bool,
}

/// What a transaction takes out of a table already.
#[derive(Debug, Default)]
struct Taken<'a> {
    chains: Vec<&'a str>,
    /// The chain of each rule.
    rules: Vec<&'a str>,
}

/// What may go besides.
#[derive(Debug, PartialEq, Eq)]
enum Idle<'a> {
    Table,
    Chains(Vec<&'a str>),
}

/// The chains of a table.
pub(crate) fn chains(
    channel: &mut Channel,
    family: NetfilterProtoFamily,
    table: &Shared,
) -> Result<Vec<Chain>, Error> {
    let all = NfTablesMessage::GetChain(ChainMessage { attributes: Vec::new() });
    let chains = channel.list(family, all)?;
    let of_table = |chain: &&Vec<u8>| text(chain, CHAIN_TABLE) == Some(table.name);
    Ok(chains.iter().filter(of_table).filter_map(|chain| Chain::parse(chain)).collect())
}

/// Takes away what we made in a table, or all of it, if nobody needs it.
pub(crate) fn remove_idle(
    channel: &mut Channel,
    family: NetfilterProtoFamily,
    table: &Shared,
) -> Result<Removed, Error> {
    let mut batch = Batch::guarded(channel.generation()?);
    complete(channel, &mut batch, family, table, Marks::Tell)?;
    let removed = if batch.changes.is_empty() { Removed::Before } else { Removed::Now };
    channel.commit(batch)?;
    Ok(removed)
}

/// Adds to a transaction, which changes nothing but this table and names the generation of now, whatever nobody needs
/// once it is done.
pub(crate) fn complete(
    channel: &mut Channel,
    batch: &mut Batch,
    family: NetfilterProtoFamily,
    table: &Shared,
    marks: Marks,
) -> Result<(), Error> {
    let question = (family, message::get_named_table(table.name));
    let Some(found) = channel.ask(vec![question])?.into_iter().next().flatten() else { return Ok(()) };
    let chains = chains(channel, family, table)?;
    let uses = wire::attribute(&found, TABLE_USE).and_then(wire::number);
    // Sets, counters and flow tables are counted as well.
    let has_only_chains = uses == Some(chains.len() as u32);
    let is_ours = comment(&found, TABLE_USERDATA) == Some(MADE) || marks == Marks::Silent;
    match idle(table, &chains, &Taken::by(batch), is_ours && has_only_chains) {
        Idle::Table => {
            // With everything in it.
            batch.changes.clear();
            let attributes = vec![TableAttribute::Name(table.name.to_owned())];
            batch.change(family, NfTablesMessage::DeleteTable(TableMessage { attributes }));
        }
        Idle::Chains(names) => {
            names.into_iter().for_each(|name| batch.delete_chain(family, table.name, name));
        }
    }
    Ok(())
}

fn idle<'a>(table: &Shared, chains: &'a [Chain], taken: &Taken<'_>, may_all_go: bool) -> Idle<'a> {
    let left: Vec<_> = chains.iter().filter(|chain| !taken.chains.contains(&chain.name.as_str())).collect();
    let is_holder = |chain: &&Chain| table.held_by.iter().any(|prefix| chain.name.starts_with(prefix));
    if left.iter().copied().any(|chain| is_holder(&chain)) {
        return Idle::Chains(Vec::new());
    }
    let is_idle = |chain: &Chain| {
        let taken = taken.rules.iter().filter(|of| **of == chain.name).count();
        table.has(chain) && chain.uses as usize == taken
    };
    if may_all_go && left.iter().all(|chain| is_idle(chain)) {
        return Idle::Table;
    }
    let ours = left.into_iter().filter(|chain| chain.is_marked() && is_idle(chain));
    Idle::Chains(ours.map(|chain| chain.name.as_str()).collect())
}

impl Shared {
    /// Whether a chain is one of iptables' base chains, and lets everything pass.
    fn has(&self, chain: &Chain) -> bool {
        let is_it = |base: &Base| {
            base.accepts && self.base.contains(&(chain.name.as_str(), base.hook, base.priority))
        };
        chain.base.as_ref().is_some_and(is_it)
    }
}

impl Chain {
    fn parse(chain: &[u8]) -> Option<Self> {
        let number = |path: &[u16]| wire::nested(chain, path).and_then(wire::number);
        let base = number(&[CHAIN_HOOK, HOOK_NUMBER]).and_then(|hook| {
            let priority = number(&[CHAIN_HOOK, HOOK_PRIORITY])?.cast_signed();
            Some(Base { hook, priority, accepts: number(&[CHAIN_POLICY]) == Some(ACCEPT) })
        });
        Some(Self {
            name: text(chain, CHAIN_NAME)?.to_owned(),
            uses: number(&[CHAIN_USE])?,
            comment: comment(chain, CHAIN_USERDATA).map(str::to_owned),
            base,
        })
    }

    /// Whether we made it.
    pub(crate) fn is_marked(&self) -> bool {
        self.comment.as_deref() == Some(MADE)
    }

    /// Whether packets pass it by themselves.
    pub(crate) fn is_base(&self) -> bool {
        self.base.is_some()
    }
}

impl<'a> Taken<'a> {
    fn by(batch: &'a Batch) -> Self {
        let mut taken = Self::default();
        for change in &batch.changes {
            match &change.message {
                NfTablesMessage::DeleteChain(chain) => taken.chains.extend(chain_of(chain)),
                NfTablesMessage::DeleteRule(rule) => taken.rules.extend(single_rule_in(rule)),
                _ => {}
            }
        }
        taken
    }
}

fn chain_of(chain: &ChainMessage) -> Option<&str> {
    chain.attributes.iter().find_map(|attribute| match attribute {
        ChainAttribute::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Without a handle it is all rules of a chain, which then goes as well.
fn single_rule_in(rule: &RuleMessage) -> Option<&str> {
    let is_handle = |attribute: &RuleAttribute| matches!(attribute, RuleAttribute::Handle(_));
    rule.attributes.iter().find(|attribute| is_handle(attribute))?;
    rule.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Chain(name) => Some(name.as_str()),
        _ => None,
    })
}

fn comment(object: &[u8], userdata: u16) -> Option<&str> {
    wire::attribute(object, userdata).and_then(element::comment)
}

fn text(object: &[u8], kind: u16) -> Option<&str> {
    wire::attribute(object, kind).and_then(wire::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str, (hook, priority): (u32, i32), uses: u32) -> Chain {
        let base = Some(Base { hook, priority, accepts: true });
        Chain { name: name.to_owned(), uses, comment: Some(MADE.to_owned()), base }
    }

    fn other(name: &str) -> Chain {
        Chain { name: name.to_owned(), uses: 0, comment: Some(MADE.to_owned()), base: None }
    }

    fn forward(uses: u32) -> Chain {
        base("FORWARD", (2, 0), uses)
    }

    fn unmarked(chain: Chain) -> Chain {
        Chain { comment: None, ..chain }
    }

    fn left(chains: &[Chain], may_all_go: bool) -> String {
        let taken = Taken { chains: vec!["CNI-FORWARD", "CNI-ADMIN"], rules: vec!["FORWARD"] };
        match idle(&FILTER, chains, &taken, may_all_go) {
            Idle::Table => "table".to_owned(),
            Idle::Chains(names) => names.join(" "),
        }
    }

    #[test]
    fn a_table_goes_when_nothing_but_empty_chains_of_iptables_would_be_left() {
        let cni = [other("CNI-FORWARD"), other("CNI-ADMIN")];
        assert_eq!(left(&[&cni[..], &[forward(1)]].concat(), true), "table");
        assert_eq!(left(&[forward(1), unmarked(base("INPUT", (1, 0), 0))], true), "table");
        assert_eq!(left(&[unmarked(forward(1))], true), "table");
        assert_eq!(left(&[], true), "table");
    }

    #[test]
    fn what_others_put_into_a_table_keeps_it_but_not_the_empty_chain_that_we_made() {
        assert_eq!(left(&[forward(1)], false), "FORWARD");
        for theirs in [
            base("INPUT", (1, 0), 1),
            base("FORWARD2", (2, 0), 0),
            base("INPUT", (1, -10), 0),
            base("OUTPUT", (1, 0), 0),
            other("MINE"),
        ] {
            assert_eq!(left(&[unmarked(theirs), forward(1)], true), "FORWARD");
        }
        let drops = Chain { base: Some(Base { hook: 2, priority: 0, accepts: false }), ..forward(1) };
        assert_eq!(left(&[drops], true), "");
        assert_eq!(left(&[forward(2)], true), "", "somebody's rule");
        assert_eq!(left(&[unmarked(forward(1))], false), "", "somebody's chain");
    }

    #[test]
    fn while_a_chain_of_containers_is_there_nothing_goes() {
        assert_eq!(left(&[forward(1), other("CNI-ISOLATION-STAGE-1")], true), "");
        let taken = Taken::default();
        let chains = [base("POSTROUTING", (4, 100), 0), other("CNI-e88f49d94512ff752ebe6070")];
        assert_eq!(idle(&NAT, &chains, &taken, true), Idle::Chains(Vec::new()));
        assert_eq!(idle(&NAT, &chains[..1], &taken, true), Idle::Table);
    }

    #[test]
    fn what_a_transaction_takes_is_read_from_it() {
        let mut batch = Batch::default();
        batch.delete_rule(NetfilterProtoFamily::IPv4, "filter", "FORWARD", 7);
        batch.delete_chain(NetfilterProtoFamily::IPv4, "filter", "CNI-FORWARD");
        let taken = Taken::by(&batch);
        assert_eq!((taken.chains, taken.rules), (vec!["CNI-FORWARD"], vec!["FORWARD"]));
    }
}
