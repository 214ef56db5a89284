//! Who has a host port already. The first rule gets the packets, so the second container would wait in vain.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use vocab::{ContainerId, PortMapping};

use super::rule::Rule;
use super::{Error, PublicationOwner, label, plan, script};
use crate::firewall::Firewall;
use crate::iptables::presence::is_old;
use crate::iptables::publish::saved::Saved;
use crate::iptables::{Cause, NAT, Version, tool};

/// Somebody's claim to a host port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The mapping that is in its way.
    pub mapping: PortMapping,
    /// The chain that gets the packets.
    pub chain: String,
    /// Whose chain it is, if a comment says so and its name proves it. Names of some hundred characters do not fit
    /// into a comment.
    pub owner: Option<PublicationOwner>,
}

impl Firewall {
    /// Looks for containers other than `not_of` to which iptables leads the packets for a host port, whoever
    /// published it.
    ///
    /// # Errors
    /// [`Error::Claims`].
    pub fn find_iptables_claim(
        &mut self,
        mapping: &PortMapping,
        not_of: Option<&ContainerId>,
    ) -> Result<Option<Claim>, Error> {
        let claims = self.find_iptables_claims(std::slice::from_ref(mapping), not_of)?;
        Ok(claims.into_iter().next())
    }

    /// The same for several ports; each of them has at most one claim, by whom it is that the packets reach first.
    /// On hosts without ports published by iptables it takes one question a family.
    ///
    /// # Errors
    /// [`Error::Claims`].
    pub fn find_iptables_claims(
        &mut self,
        mappings: &[PortMapping],
        not_of: Option<&ContainerId>,
    ) -> Result<Vec<Claim>, Error> {
        let mut claims: Vec<Claim> = Vec::new();
        for version in Version::BOTH {
            let is_open = |mapping: &&PortMapping| {
                plan::is_of(mapping, version) && !claims.iter().any(|claim| claim.mapping == **mapping)
            };
            let open: Vec<_> = mappings.iter().filter(is_open).collect();
            if !open.is_empty() {
                let found = self.claims_of(version, &open, not_of);
                claims.extend(found.map_err(|source| Error::Claims { version, source })?);
            }
        }
        Ok(claims)
    }

    fn claims_of(
        &mut self,
        version: Version,
        mappings: &[&PortMapping],
        not_of: Option<&ContainerId>,
    ) -> Result<Vec<Claim>, Cause> {
        if is_old(version, NAT) {
            let saved = Saved::parse(&tool::save(version, NAT)?);
            let rules_of = |chain: &str| -> Result<Vec<Rule>, Cause> {
                Ok(saved.rules_of(chain).map(|rule| rule.rule.clone()).collect())
            };
            return claims(mappings, not_of, &rules_of(label::DNAT)?, rules_of);
        }
        Ok(self.with_table(version, |table| {
            let entries: Vec<_> = table.entries()?.into_iter().map(|entry| entry.rule).collect();
            claims(mappings, not_of, &entries, |chain| {
                Ok(table.rules_of(chain)?.into_iter().map(|rule| rule.rule).collect())
            })
        })?)
    }
}

/// For each mapping the first entry that takes its packets: it lists the port, and its chain translates it.
fn claims<E>(
    mappings: &[&PortMapping],
    not_of: Option<&ContainerId>,
    entries: &[Rule],
    mut rules_of: impl FnMut(&str) -> Result<Vec<Rule>, E>,
) -> Result<Vec<Claim>, E> {
    let mut claims = Vec::new();
    let mut known: HashMap<&str, Vec<Rule>> = HashMap::new();
    for mapping in mappings {
        let port = mapping.host_port.get();
        let is_taken = |rule: &Rule| {
            rule.translates && rule.is_for(mapping.protocol, port) && rule.is_at(mapping.host_address.one())
        };
        for entry in entries.iter().filter(|entry| entry.is_for(mapping.protocol, port)) {
            let owner = script::owner(entry);
            let Some(chain) = &entry.jump else { continue };
            if owner.as_ref().is_some_and(|owner| Some(&owner.container) == not_of) {
                continue;
            }
            let rules = match known.entry(chain) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(rules_of(chain)?),
            };
            if rules.iter().any(is_taken) {
                claims.push(Claim { mapping: **mapping, chain: chain.clone(), owner });
                break;
            }
        }
    }
    Ok(claims)
}
