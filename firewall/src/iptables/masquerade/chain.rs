//! A container's chain in nf_tables, before the program fills it, and what it stands in.

use netlink_packet_netfilter::nftables::InetHookNumber;
use vocab::{ContainerId, NetworkName};

use super::plan;
use crate::batch::Batch;
use crate::channel::{Channel, Error};
use crate::firewall::Ensured;
use crate::foreign::sweep::{self, Marks, NAT};
use crate::foreign::{Place, Way};
use crate::iptables::Version;
use crate::message;

/// Where all masquerade begins.
const POSTROUTING: &str = "POSTROUTING";
/// `NF_IP_PRI_NAT_SRC`.
const WAY: Way = Way { kind: "nat", hook: InetHookNumber::PostRouting, priority: 100 };

/// Makes a container's chain, without rules, and what must be there for it.
pub(super) fn prepare(
    channel: &mut Channel,
    version: Version,
    chain: &str,
    label: &str,
) -> Result<Ensured, Error> {
    let [own, base] = [chain, POSTROUTING].map(|chain| place(version, chain));
    let table = (version.family(), message::get_named_table(NAT.name));
    let (generation, answers) = channel.ask_at_generation(vec![own.question(), base.question(), table])?;
    let is_there = |index: usize| answers.get(index).is_some_and(Option::is_some);
    if is_there(0) {
        return Ok(Ensured::AlreadyThere);
    }
    let mut batch = Batch::guarded(generation);
    if !is_there(2) {
        batch.create_foreign_table(base);
    }
    if !is_there(1) {
        batch.create_base_chain(base, &WAY);
    }
    batch.create_commented_chain(own, label);
    channel.commit(batch)?;
    Ok(Ensured::Added)
}

/// Takes a chain away that the program did not fill, and what was made for it.
pub(super) fn remove_if_empty(channel: &mut Channel, version: Version, chain: &str) -> Result<(), Error> {
    let mut batch = Batch::guarded(channel.generation()?);
    let chains = sweep::chains(channel, version.family(), &NAT)?;
    if chains.iter().any(|found| found.name == chain && found.uses == 0) {
        batch.delete_chain(version.family(), NAT.name, chain);
        sweep::complete(channel, &mut batch, version.family(), &NAT, Marks::Tell)?;
    }
    channel.commit(batch)
}

/// The containers of a network that have a chain here, with rules or not yet.
pub(super) fn containers(
    channel: &mut Channel,
    version: Version,
    network: &NetworkName,
) -> Result<Vec<ContainerId>, Error> {
    let chains = sweep::chains(channel, version.family(), &NAT)?;
    let container = |chain: &sweep::Chain| plan::labelled(chain.comment.as_deref()?, &chain.name, network);
    Ok(chains.iter().filter_map(container).collect())
}

fn place(version: Version, chain: &str) -> Place<'_> {
    Place { family: version.family(), table: NAT.name, chain }
}
