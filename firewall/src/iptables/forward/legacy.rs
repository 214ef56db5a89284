//! The rules of the old iptables, by its programs: one `iptables-save`, and one `iptables-restore` when something is
//! to be done.

use std::net::IpAddr;

use vocab::InterfaceName;

use super::line::{Line, Saved, Standing, Target};
use super::plan::{self, CNI_FORWARD, Changes, FORWARD, Insert, Listing, Plan, STAGE1, STAGE2};
use super::{FILTER, Ingress, IngressPolicy};
use crate::firewall::{Ensured, Removed};
use crate::iptables::Version;
use crate::iptables::tool::{self, Error};

pub(super) fn ensure(plan: &Plan, version: Version) -> Result<Ensured, Error> {
    let listing = parse(&tool::save(version, FILTER)?);
    let changes = plan.changes(&listing);
    if changes.is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    tool::restore(version, FILTER, &addition(&changes))?;
    Ok(Ensured::Added)
}

pub(super) fn find(plan: &Plan, version: Version) -> Result<Vec<String>, Error> {
    let listing = parse(&tool::save(version, FILTER)?);
    Ok(plan.changes(&listing).describe())
}

pub(super) fn remove(addresses: &[IpAddr], version: Version) -> Result<Removed, Error> {
    let listing = parse(&tool::save(version, FILTER)?);
    let lines: Vec<Line> = addresses.iter().flat_map(|address| plan::address_lines(*address)).collect();
    restore_removal(version, deletions(&listing, CNI_FORWARD, &lines))
}

pub(super) fn remove_ingress(bridge: &InterfaceName, version: Version) -> Result<Removed, Error> {
    let listing = parse(&tool::save(version, FILTER)?);
    restore_removal(version, ingress_removal(&listing, bridge))
}

pub(super) fn closed_bridges(version: Version) -> Result<Vec<(InterfaceName, IngressPolicy)>, Error> {
    let listing = parse(&tool::save(version, FILTER)?);
    let rules = listing.get(STAGE1).map(Vec::as_slice).unwrap_or_default();
    let input = |rule: &Saved| {
        let name = rule.0.strip_prefix(STAGE1)?.strip_prefix(" -i ")?.split(' ').next()?;
        InterfaceName::new(name).ok()
    };
    let mut names: Vec<_> = rules.iter().filter_map(input).collect();
    names.dedup();
    Ok(plan::closed_bridges(names, rules))
}

fn restore_removal(version: Version, script: Vec<String>) -> Result<Removed, Error> {
    if script.is_empty() {
        return Ok(Removed::Before);
    }
    tool::restore(version, FILTER, &script)?;
    Ok(Removed::Now)
}

/// The chains in what `iptables-save` printed.
fn parse(saved: &str) -> Listing<Saved> {
    let mut listing = Listing::new();
    for line in saved.lines() {
        if let Some(chain) = line.strip_prefix(':').and_then(|line| line.split(' ').next()) {
            listing.entry(chain.to_owned()).or_default();
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let chain = rule.split(' ').next().unwrap_or_default();
            listing.entry(chain.to_owned()).or_default().push(Saved(rule.to_owned()));
        }
    }
    listing
}

fn addition(changes: &Changes<'_, Saved>) -> Vec<String> {
    let chains = changes.chains.iter().map(|chain| format!(":{chain} - [0:0]"));
    let misplaced = changes.misplaced.iter().map(|(_, rule)| format!("-D {}", rule.0));
    // Each is put before the ones that went before.
    let heads = changes.heads.iter().rev().map(|Insert { line, at }| {
        let line = line.to_string();
        let (chain, rule) = line.split_once(' ').unwrap_or((&line, ""));
        format!("-I {chain} {} {rule}", at + 1)
    });
    let tails = changes.tails.iter().map(|line| format!("-A {line}"));
    chains.chain(misplaced).chain(heads).chain(tails).collect()
}

fn deletions(listing: &Listing<Saved>, chain: &str, lines: &[Line]) -> Vec<String> {
    let rules = listing.get(chain).map(Vec::as_slice).unwrap_or_default();
    let ours = rules.iter().filter(|rule| lines.iter().any(|line| rule.is(line)));
    ours.map(|rule| format!("-D {}", rule.0)).collect()
}

fn ingress_removal(listing: &Listing<Saved>, bridge: &InterfaceName) -> Vec<String> {
    let lines: Vec<Line> = [IngressPolicy::SameBridge, IngressPolicy::Isolated]
        .into_iter()
        .flat_map(|policy| plan::bridge_lines(&Ingress { bridge, policy }))
        .collect();
    let mut script: Vec<_> =
        [STAGE1, STAGE2].into_iter().flat_map(|chain| deletions(listing, chain, &lines)).collect();
    let rules = |chain: &str| listing.get(chain).map(Vec::as_slice).unwrap_or_default();
    let is_left = |chain: &str| {
        let is_return = |rule: &Saved| rule.does(&Line::new(chain, Target::Return));
        rules(chain).iter().any(|rule| !lines.iter().any(|line| rule.is(line)) && !is_return(rule))
    };
    if !script.is_empty() && ![STAGE1, STAGE2].into_iter().any(is_left) {
        let jump = Line::new(FORWARD, Target::Jump(STAGE1.to_owned()));
        script.extend(
            rules(FORWARD).iter().filter(|rule| rule.does(&jump)).map(|rule| format!("-D {}", rule.0)),
        );
        let chains = [STAGE1, STAGE2].into_iter().filter(|chain| listing.contains_key(*chain));
        script.extend(chains.flat_map(|chain| [format!("-F {chain}"), format!("-X {chain}")]));
    }
    script
}
