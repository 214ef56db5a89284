//! A table as the kernel has it: whether it is ours and whole; installing, replacing and removing it.

use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::batch::Batch;
use crate::channel::{Channel, Error, Question};
use crate::element::{self, Element};
use crate::firewall::Removed;
use crate::message;
use crate::ruleset::{Chain, Set, Table};
use crate::wire;

/// `NFTA_CHAIN_USE` and `NFTA_CHAIN_USERDATA`.
const CHAIN_USE: u16 = 6;
const CHAIN_USERDATA: u16 = 12;

/// Elements of a set, to be added to it.
pub(crate) type Addition = (&'static Set, Vec<Element>);

/// Asks for a chain, whose answer [`is_current`] judges.
pub(crate) fn question(table: &Table, chain: &Chain) -> Question {
    (table.family.into(), message::get_chain(table.name, chain.name))
}

/// Whether the chain is there with all of its rules, made by this program or a newer one.
///
/// The rules themselves are not read: somebody who flushed them left fewer (`nft flush ruleset`, a
/// firewall's reload), and that is seen.
pub(crate) fn is_current(table: &Table, chain: &Chain, answer: Option<&[u8]>) -> bool {
    let Some(answer) = answer else { return false };
    let comment = wire::attribute(answer, CHAIN_USERDATA).and_then(element::comment);
    let version = comment.and_then(Chain::version);
    let rules = wire::attribute(answer, CHAIN_USE).and_then(wire::number);
    version >= Some(table.version) && rules >= Some(chain.rules.len() as u32)
}

/// Makes the table what it should be, in one transaction: elements that are there are kept, and if there
/// are none, `additions` are made with it.
///
/// Everything that was looked at must be so still when the transaction takes place. Of many processes that
/// install at once therefore one does, and the others are told to look again, which costs them nothing.
pub(crate) fn install(channel: &mut Channel, table: &Table, additions: &[Addition]) -> Result<(), Error> {
    let generation = channel.generation()?;
    if all_chains_are_current(channel, table)? {
        return Ok(());
    }
    let mut batch = Batch::guarded(generation);
    let kept = if exists(channel, table)? {
        batch.delete_table(table);
        list(channel, table)?
    } else {
        additions.to_vec()
    };
    batch.create_table(table);
    for (set, elements) in &kept {
        batch.add(table, set, elements);
    }
    channel.commit(batch)
}

fn all_chains_are_current(channel: &mut Channel, table: &Table) -> Result<bool, Error> {
    let answers = channel.ask(table.chains.iter().map(|chain| question(table, chain)).collect())?;
    Ok(table.chains.iter().zip(answers).all(|(chain, answer)| is_current(table, chain, answer.as_deref())))
}

pub(crate) fn exists(channel: &mut Channel, table: &Table) -> Result<bool, Error> {
    let answers = channel.ask(vec![(table.family.into(), message::get_table(table))])?;
    Ok(answers.iter().all(Option::is_some))
}

/// All elements of a set.
pub(crate) fn elements(channel: &mut Channel, table: &Table, set: &Set) -> Result<Vec<Element>, Error> {
    let messages =
        channel.list(NetfilterProtoFamily::from(table.family), message::get_elements(table, set))?;
    Ok(messages.iter().flat_map(|message| Element::parse_list(message)).collect())
}

/// All elements of all sets.
pub(crate) fn list(channel: &mut Channel, table: &Table) -> Result<Vec<Addition>, Error> {
    table.sets.iter().copied().map(|set| Ok((set, elements(channel, table, set)?))).collect()
}

/// Removes the table if nothing is in its sets.
pub(crate) fn remove_if_empty(channel: &mut Channel, table: &Table) -> Result<Removed, Error> {
    let generation = channel.generation()?;
    let is_empty = list(channel, table)?.iter().all(|(_, elements)| elements.is_empty());
    if !is_empty || !exists(channel, table)? {
        return Ok(Removed::Before);
    }
    let mut batch = Batch::guarded(generation);
    batch.delete_table(table);
    channel.commit(batch)?;
    Ok(Removed::Now)
}
