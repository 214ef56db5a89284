//! The rules of today's iptables, spoken to nf_tables as iptables speaks them.
//!
//! What containers share is looked at and changed under the ruleset's generation: of many who find it flushed one puts
//! it back, and no jump is there twice. What belongs to one container is added and removed without that guard, or
//! hundreds that come at once would make each other look again and again. Nobody else has the same rules, so the worst
//! that can happen is that a chain or a rule vanishes between the look and the change; then we look again.

use std::net::IpAddr;

use netlink_packet_netfilter::nftables::InetHookNumber;
use nix::errno::Errno;
use vocab::InterfaceName;

use super::line::{self, Line, Standing, Target};
use super::plan::{self, CNI_FORWARD, Changes, FORWARD, Insert, Listing, Plan, STAGE1, STAGE2};
use super::{FILTER, Ingress, IngressPolicy};
use crate::batch::Batch;
use crate::channel::{Channel, Error, Request};
use crate::firewall::{Ensured, Firewall, Removed};
use crate::foreign::{self, Place, Rule, Way};
use crate::iptables::Version;
use crate::message;

/// How often we look again when a chain or rule vanished under us. Somebody has to flush or restore the table each time.
const ATTEMPTS: usize = 16;

pub(super) fn has_forward_chain(firewall: &mut Firewall, version: Version) -> Result<bool, Error> {
    firewall.attempt(|channel| {
        Ok(channel.ask(vec![place(version, FORWARD).question()])?.iter().all(Option::is_some))
    })
}

/// Whether iptables' chain FORWARD drops what no rule took.
pub(super) fn drops_forwarded(firewall: &mut Firewall, version: Version) -> Result<bool, Error> {
    firewall.attempt(|channel| {
        let chains = foreign::forward_chains(channel, version.family())?;
        Ok(chains.iter().any(|chain| chain.place() == place(version, FORWARD) && chain.drops))
    })
}

pub(super) fn ensure(firewall: &mut Firewall, plan: &Plan, version: Version) -> Result<Ensured, Error> {
    attempt(firewall, |channel| {
        let generation = channel.generation()?;
        let listing = list_for(channel, plan, version)?;
        let changes = plan.changes(&listing);
        if changes.is_empty() {
            return Ok(Ensured::AlreadyThere);
        }
        let mut batch = match changes.only_appends() {
            true => Batch::default(),
            false => Batch::guarded(generation),
        };
        if !listing.contains_key(FORWARD) {
            create_base(channel, &mut batch, version)?;
        }
        apply(&mut batch, &changes, &listing, version);
        channel.commit(batch)?;
        Ok(Ensured::Added)
    })
}

pub(super) fn find(firewall: &mut Firewall, plan: &Plan, version: Version) -> Result<Vec<String>, Error> {
    firewall.attempt(|channel| {
        let listing = list_for(channel, plan, version)?;
        Ok(plan.changes(&listing).describe())
    })
}

pub(super) fn remove(
    firewall: &mut Firewall,
    addresses: &[IpAddr],
    version: Version,
) -> Result<Removed, Error> {
    let lines: Vec<Line> = addresses.iter().flat_map(|address| plan::address_lines(*address)).collect();
    let values: Vec<_> = lines.iter().filter_map(Line::value).collect();
    attempt(firewall, |channel| {
        let place = place(version, CNI_FORWARD);
        let mut batch = Batch::default();
        delete(&mut batch, place, &foreign::rules_about(channel, place, &values)?, &lines);
        commit_removal(channel, batch)
    })
}

pub(super) fn closed_bridges(
    firewall: &mut Firewall,
    version: Version,
) -> Result<Vec<(InterfaceName, IngressPolicy)>, Error> {
    let rules = firewall.attempt(|channel| foreign::rules(channel, place(version, STAGE1)))?;
    let mut names: Vec<_> = rules.iter().filter_map(line::input_of).collect();
    names.dedup();
    Ok(plan::closed_bridges(names, &rules))
}

pub(super) fn remove_ingress(
    firewall: &mut Firewall,
    bridge: &InterfaceName,
    version: Version,
) -> Result<Removed, Error> {
    attempt(firewall, |channel| {
        let generation = channel.generation()?;
        let listing = list(channel, &[FORWARD, STAGE1, STAGE2], version, foreign::rules)?;
        let rules = |chain: &str| listing.get(chain).map(Vec::as_slice).unwrap_or_default();
        let mut batch = Batch::guarded(generation);
        let lines: Vec<Line> = [IngressPolicy::SameBridge, IngressPolicy::Isolated]
            .into_iter()
            .flat_map(|policy| plan::bridge_lines(&Ingress { bridge, policy }))
            .collect();
        for chain in [STAGE1, STAGE2] {
            delete(&mut batch, place(version, chain), rules(chain), &lines);
        }
        // Chains without any bridge are ours to remove only when we have just taken the last one out.
        let is_left = |rule: &&Rule| {
            !lines.iter().any(|line| rule.is(line)) && !rule.does(&Line::new(STAGE1, Target::Return))
        };
        let is_empty = [STAGE1, STAGE2].into_iter().flat_map(rules).find(is_left).is_none();
        if !batch.changes.is_empty() && is_empty {
            let jump = Line::new(FORWARD, Target::Jump(STAGE1.to_owned()));
            for rule in rules(FORWARD).iter().filter(|rule| rule.does(&jump)) {
                batch.remove_rule(place(version, FORWARD), rule.handle);
            }
            // The first leads to the second.
            for chain in [STAGE1, STAGE2].into_iter().filter(|chain| listing.contains_key(*chain)) {
                batch.delete_chain(version.family(), FILTER, chain);
            }
        }
        commit_removal(channel, batch)
    })
}

/// The chains of a plan that are there, each with the rules that matter to it. The containers' own chain may be long.
fn list_for(channel: &mut Channel, plan: &Plan, version: Version) -> Result<Listing<Rule>, Error> {
    let chains: Vec<_> = plan.places().collect();
    list(channel, &chains, version, |channel, place| {
        let values: Vec<_> = plan.lines_in(place.chain).filter_map(Line::value).collect();
        match place.chain {
            CNI_FORWARD => foreign::rules_about(channel, place, &values),
            // That it is there is all that matters.
            chain if plan.lines_in(chain).next().is_none() => Ok(Vec::new()),
            _ => foreign::rules(channel, place),
        }
    })
}

/// The chains that are there, with their rules.
fn list(
    channel: &mut Channel,
    chains: &[&str],
    version: Version,
    rules: impl Fn(&mut Channel, Place<'_>) -> Result<Vec<Rule>, Error>,
) -> Result<Listing<Rule>, Error> {
    let answers = channel.ask(chains.iter().map(|chain| place(version, chain).question()).collect())?;
    let mut listing = Listing::new();
    for (chain, _) in chains.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
        listing.insert((*chain).to_owned(), rules(channel, place(version, chain))?);
    }
    Ok(listing)
}

/// Makes the base chain and, where nobody used iptables yet, its table.
fn create_base(channel: &mut Channel, batch: &mut Batch, version: Version) -> Result<(), Error> {
    let forward = place(version, FORWARD);
    let table = channel.ask(vec![(forward.family, message::get_named_table(FILTER))])?;
    if table.iter().any(Option::is_none) {
        batch.create_foreign_table(forward);
    }
    batch.create_base_chain(forward, &Way { kind: "filter", hook: InetHookNumber::Forward, priority: 0 });
    Ok(())
}

fn apply(batch: &mut Batch, changes: &Changes<'_, Rule>, listing: &Listing<Rule>, version: Version) {
    for chain in &changes.chains {
        batch.create_foreign_chain(place(version, chain));
    }
    for Insert { line, at } in &changes.heads {
        let next = listing.get(&line.chain).and_then(|rules| rules.get(*at)).map(|rule| rule.handle);
        batch.add_rule(place(version, &line.chain), next, &line.steps(), None);
    }
    for line in &changes.tails {
        batch.add_rule(place(version, &line.chain), None, &line.steps(), None);
    }
    // Last: the first rule, by which the new ones found their place, may be among them.
    for (chain, rule) in &changes.misplaced {
        batch.remove_rule(place(version, chain), rule.handle);
    }
}

fn delete(batch: &mut Batch, place: Place<'_>, rules: &[Rule], lines: &[Line]) {
    let is_one = |rule: &&Rule| lines.iter().any(|line| line.chain == place.chain && rule.is(line));
    for rule in rules.iter().filter(is_one) {
        batch.remove_rule(place, rule.handle);
    }
}

pub(super) fn commit_removal(channel: &mut Channel, batch: Batch) -> Result<Removed, Error> {
    let removed = if batch.changes.is_empty() { Removed::Before } else { Removed::Now };
    channel.commit(batch)?;
    Ok(removed)
}

/// Tries until nobody else is quicker, and looks again when what was found has vanished.
pub(super) fn attempt<T>(
    firewall: &mut Firewall,
    mut attempt: impl FnMut(&mut Channel) -> Result<T, Error>,
) -> Result<T, Error> {
    for _ in 1..ATTEMPTS {
        match firewall.attempt(&mut attempt) {
            Err(error) if has_vanished(&error) => {}
            done => return done,
        }
    }
    firewall.attempt(attempt)
}

/// A rule that was to be deleted, or the chain of one that was to be added. The latter may also mean that the kernel
/// lacks an expression, which the last attempt then says.
fn has_vanished(error: &Error) -> bool {
    matches!(
        error,
        Error::Refused { request: Request::AddRule | Request::DeleteRules, errno: Errno::ENOENT, .. }
    )
}

pub(super) fn place(version: Version, chain: &str) -> Place<'_> {
    Place { family: version.family(), table: FILTER, chain }
}
