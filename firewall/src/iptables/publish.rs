//! Ports published by iptables, for configurations that ask for it by name (`"backend": "iptables"`) or by words
//! that only iptables has.
//!
//! Each container has a chain; `CNI-HOSTPORT-DNAT` leads there, and the containers share it with each other and
//! with those that the reference plugin looks after. Publishing takes one `iptables-restore` a family. Where the
//! kernel's nf_tables holds the rules, everything else but CHECK takes none: what is there is read, and removed, by
//! netlink.

mod claim;
mod error;
mod kernel;
mod label;
mod options;
mod plan;
mod rule;
mod saved;
mod script;
mod shared;

use std::fmt;

use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName, PortMapping};

use super::kind::Kind;
use super::presence::{Presence, is_old};
use super::{Cause, NAT, ToolError, Version, tool};
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;

pub use claim::Claim;
pub use error::Error;
pub use options::{
    ChainName, Conditions, InvalidChainName, InvalidConditions, InvalidMarkBit, IptablesOptions, Mark,
    MarkBit,
};

use kernel::Table;
use plan::Plan;
use saved::Saved;

/// How often a script is made anew because somebody else changed the table. Each time, somebody else got on.
const ATTEMPTS: usize = 64;
/// So often when the table looks as before: either somebody came and went again, or iptables does not want it.
const FAILURES: usize = 4;

/// Ports of one container on one network.
#[derive(Debug, Clone, Copy)]
pub struct IptablesPublication<'a> {
    /// The network.
    pub network: &'a NetworkName,
    /// The container. The reference does not tell its interfaces apart.
    pub container: &'a ContainerId,
    /// Its addresses, each with the length of its subnet's prefix. The first of each family gets the connections;
    /// without one, nothing is published in that family.
    pub addresses: &'a [IpNetwork],
    /// Its ports. Those at a host address of one family are not published in the other.
    pub mappings: &'a [PortMapping],
    /// How they are published.
    pub options: &'a IptablesOptions,
}

/// Whose published ports are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationOwner {
    /// The network.
    pub network: NetworkName,
    /// The container.
    pub container: ContainerId,
}

impl fmt::Display for PublicationOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {} in network {}", self.container, self.network)
    }
}

impl Firewall {
    /// Publishes a container's ports. Whatever it had published on this network before is replaced. Conditions are
    /// always written anew, for how iptables lists them does not tell how they were written.
    ///
    /// # Errors
    /// [`Error::Add`]; nothing of that address family was added then. What was added for the other one stays, for
    /// the DEL that follows.
    pub fn publish_by_iptables(&mut self, publication: &IptablesPublication<'_>) -> Result<Ensured, Error> {
        let mut ensured = Ensured::AlreadyThere;
        for version in Version::BOTH {
            let Some(plan) = Plan::new(publication, version) else { continue };
            let published = self.publish_version(&plan, version);
            match published.map_err(|source| Error::add(publication, version, source))? {
                Ensured::Added => ensured = Ensured::Added,
                Ensured::AlreadyThere => {}
            }
        }
        Ok(ensured)
    }

    /// Whether a container's ports are published. What else its chain may hold is not looked for.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_iptables_publication(
        &mut self,
        publication: &IptablesPublication<'_>,
    ) -> Result<Standing, Error> {
        let mut missing = Vec::new();
        for version in Version::BOTH {
            let Some(plan) = Plan::new(publication, version) else { continue };
            missing.extend(self.missing_of(&plan, version).map_err(|source| Error::Find {
                version,
                network: publication.network.clone(),
                container: publication.container.clone(),
                source,
            })?);
        }
        Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
    }

    /// Ends the publication of all ports of a container on a network in both address families, whether the
    /// reference made it or we, and takes away what published ports share with the last of them.
    ///
    /// # Errors
    /// [`Error::Remove`], the first of them; the other address family is attended to all the same.
    pub fn remove_iptables_publication(
        &mut self,
        network: &NetworkName,
        container: &ContainerId,
    ) -> Result<Removed, Error> {
        let chains = label::chains(network, container);
        let [v4, v6] = Version::BOTH.map(|version| {
            self.remove_chains(version, &chains).map_err(|source| Error::Remove {
                version,
                network: network.clone(),
                container: container.clone(),
                source,
            })
        });
        Ok(if v4? | v6? { Removed::Now } else { Removed::Before })
    }

    /// Ends the publication of the ports of those containers of a network that are not to be kept; returns of how
    /// many, each address family counting for itself.
    ///
    /// # Errors
    /// [`Error::Collect`], the first of them; the other address family is attended to all the same.
    pub fn retain_iptables_publications(
        &mut self,
        network: &NetworkName,
        keep: impl Fn(&ContainerId) -> bool,
    ) -> Result<usize, Error> {
        let is_gone = |owner: &PublicationOwner| owner.network == *network && !keep(&owner.container);
        let [v4, v6] = Version::BOTH.map(|version| {
            self.retain_publications_of(version, is_gone).map_err(|source| Error::Collect {
                version,
                network: network.clone(),
                source,
            })
        });
        Ok(v4? + v6?)
    }

    fn publish_version(&mut self, plan: &Plan, version: Version) -> Result<Ensured, Cause> {
        if Kind::of_programs(version) == Some(Kind::Old) {
            return Ok(added_if(settle(version, |saved| script::addition(plan, saved))?));
        }
        let prepared = self.with_table(version, |table| table.prepare(&plan.chain, plan.mark))?;
        if prepared.had_chain {
            let is_replaced = settle(version, |saved| script::replacement(plan, saved))?;
            return Ok(added_if(is_replaced || prepared.has_changed));
        }
        if let Err(error) = self.fill(version, plan) {
            // What cannot be undone now is found by its chain, by the DEL that follows.
            let _undone = self.remove_chains(version, std::slice::from_ref(&plan.chain));
            return Err(error);
        }
        Ok(Ensured::Added)
    }

    /// Adds the rules of a chain that is empty. The program takes a script that it cannot read for an empty one, and is
    /// content; so the chain is looked at.
    fn fill(&mut self, version: Version, plan: &Plan) -> Result<(), Cause> {
        tool::restore(version, NAT, &script::own(plan))?;
        let is_empty = self.with_table(version, |table| table.rules_of(&plan.chain))?.is_empty();
        match is_empty && !plan.rules.is_empty() {
            true => Err(ToolError::Nothing { program: tool::restore_program(version) }.into()),
            false => Ok(()),
        }
    }

    fn missing_of(&mut self, plan: &Plan, version: Version) -> Result<Vec<String>, Cause> {
        let question = |family| (family, message::get_chain(NAT, &plan.chain));
        let saved = match self.presence(version, NAT, question)? {
            Presence::Absent => Saved::default(),
            Presence::Present | Presence::Unknown => Saved::parse(&tool::save(version, NAT)?),
        };
        let mut missing = script::missing(plan, &saved);
        for entry in plan.entries.iter().filter(|_| plan.has_conditions) {
            let is_there = saved.has_chain(&plan.chain) && has_rule(version, entry)?;
            missing.extend((!is_there).then(|| entry.clone()));
        }
        Ok(missing)
    }

    fn remove_chains(&mut self, version: Version, chains: &[String]) -> Result<bool, Cause> {
        match is_old(version, NAT) {
            true => Ok(settle(version, |saved| script::removal(saved, chains))?),
            false => Ok(self.with_table(version, |table| table.remove(chains))?),
        }
    }

    fn retain_publications_of(
        &mut self,
        version: Version,
        is_gone: impl Fn(&PublicationOwner) -> bool,
    ) -> Result<usize, Cause> {
        let mut count = 0;
        let mut chains_of = |mut owners: Vec<PublicationOwner>| -> Vec<String> {
            owners.retain(|owner| is_gone(owner));
            count = owners.len();
            owners.iter().flat_map(|owner| label::chains(&owner.network, &owner.container)).collect()
        };
        if is_old(version, NAT) {
            let _changed = settle(version, |saved| {
                let entries = saved.rules_of(label::DNAT).map(|entry| &entry.rule);
                script::removal(saved, &chains_of(script::owners(entries)))
            })?;
        } else {
            let _changed = self.with_table(version, |table| {
                let entries = table.entries()?;
                let owners = script::owners(entries.iter().map(|entry| &entry.rule));
                table.remove(&chains_of(owners))
            })?;
        }
        Ok(count)
    }

    /// Does something to the table that nf_tables holds, again if somebody else was quicker.
    fn with_table<T>(
        &mut self,
        version: Version,
        mut work: impl FnMut(&mut Table<'_>) -> Result<T, crate::channel::Error>,
    ) -> Result<T, crate::channel::Error> {
        self.attempt(|channel| work(&mut Table { channel, family: version.family() }))
    }
}

fn added_if(has_changed: bool) -> Ensured {
    if has_changed { Ensured::Added } else { Ensured::AlreadyThere }
}

/// Does the script that is made for the table as it is, and says whether there was one. Scripts fail when the table
/// has changed meanwhile; then another one is made.
fn settle(
    version: Version,
    mut script: impl FnMut(&Saved) -> Option<Vec<String>>,
) -> Result<bool, ToolError> {
    let mut before = None;
    let mut failures = 0;
    for attempt in 1.. {
        let saved = Saved::parse(&tool::save(version, NAT)?);
        let Some(lines) = script(&saved) else { break };
        let Err(error) = tool::restore(version, NAT, &lines) else { return Ok(true) };
        failures = if before.as_ref() == Some(&saved) { failures + 1 } else { 1 };
        if attempt == ATTEMPTS || failures == FAILURES {
            return Err(error);
        }
        before = Some(saved);
    }
    Ok(false)
}

/// Whether iptables finds the rule that it would add for this line.
fn has_rule(version: Version, line: &str) -> Result<bool, ToolError> {
    match tool::restore(version, NAT, &[line.replacen("-A", "-C", 1)]) {
        Ok(()) => Ok(true),
        Err(ToolError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
