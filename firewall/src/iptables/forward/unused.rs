//! The end: what containers share in iptables' table `filter` goes when nobody needs it any more.
//!
//! Looked at and changed under the ruleset's generation. So an ADD that comes meanwhile makes us look again; and one
//! that has looked before us finds its chain gone, looks again, and makes everything anew (`native::ensure`).

use std::collections::BTreeMap;

use super::Version;
use super::line::Standing;
use super::native::{attempt, commit_removal, place};
use super::plan::{CNI_FORWARD, FORWARD, jump_to_admin, jump_to_forward};
use crate::batch::Batch;
use crate::channel::{Channel, Error};
use crate::firewall::{Firewall, Removed};
use crate::foreign::sweep::{self, Chain, FILTER, Marks};
use crate::foreign::{self, Rule, Step};

pub(super) fn remove(firewall: &mut Firewall, admin: &str, version: Version) -> Result<Removed, Error> {
    attempt(firewall, |channel| {
        let mut batch = Batch::guarded(channel.generation()?);
        let chains = sweep::chains(channel, version.family(), &FILTER)?;
        let Some(marks) = (Table { chains: &chains, version }).take_shared(channel, &mut batch, admin)?
        else {
            return Ok(Removed::Before);
        };
        sweep::complete(channel, &mut batch, version.family(), &FILTER, marks)?;
        commit_removal(channel, batch)
    })
}

/// The table of one family.
struct Table<'a> {
    chains: &'a [Chain],
    version: Version,
}

impl Table<'_> {
    /// Takes out the chains that containers share and the jumps to them; `None` while somebody needs them.
    fn take_shared(
        &self,
        channel: &mut Channel,
        batch: &mut Batch,
        admin: &str,
    ) -> Result<Option<Marks>, Error> {
        // How many of our rules lead to each of the administrators' chains: networks may name different ones.
        let mut admins = BTreeMap::from([(admin.to_owned(), 0)]);
        let shared = self.find(CNI_FORWARD);
        if let Some(shared) = shared {
            let jumps = self.jumps(channel)?;
            let Some(rules) = self.rules_of_shared(channel, shared, jumps.len())? else { return Ok(None) };
            for rule in &rules {
                let Some(target) = admin_of(rule, admin) else { return Ok(None) };
                *admins.entry(target.to_owned()).or_default() += 1;
            }
            jumps.iter().for_each(|jump| batch.remove_rule(place(self.version, FORWARD), jump.handle));
            batch.delete_chain(self.version.family(), FILTER.name, CNI_FORWARD);
        }
        let marks = if shared.is_none_or(|shared| shared.is_marked()) { Marks::Tell } else { Marks::Silent };
        for (name, led) in admins {
            let Some(chain) = self.find(&name).filter(|chain| !chain.is_base()) else { continue };
            let is_empty = foreign::rules(channel, place(self.version, &name))?.is_empty();
            if !is_empty && led > 0 {
                return Ok(None);
            }
            // Another's empty chain stays, and so does one that another's rule leads to.
            if is_empty && chain.uses == led && (chain.is_marked() || marks == Marks::Silent) {
                batch.delete_chain(self.version.family(), FILTER.name, &name);
            }
        }
        Ok(Some(marks))
    }

    /// The rules by which FORWARD leads to the containers' chain.
    fn jumps(&self, channel: &mut Channel) -> Result<Vec<Rule>, Error> {
        let mut rules = foreign::rules(channel, place(self.version, FORWARD))?;
        rules.retain(|rule| rule.does(&jump_to_forward()));
        Ok(rules)
    }

    /// The rules of the containers' chain, unless they are certainly a container's, or others than these jumps lead there.
    fn rules_of_shared(
        &self,
        channel: &mut Channel,
        shared: &Chain,
        jumps: usize,
    ) -> Result<Option<Vec<Rule>>, Error> {
        let count = (shared.uses as usize).saturating_sub(jumps);
        // Of many containers the rules need not be read: there are no more administrators' chains than chains.
        if count > self.chains.len() {
            return Ok(None);
        }
        let rules = foreign::rules(channel, place(self.version, CNI_FORWARD))?;
        Ok((rules.len() == count).then_some(rules))
    }

    fn find(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }
}

/// The administrator's chain that a rule leads to, if that is all that it does: this one, or that of another network,
/// which the comment tells.
fn admin_of<'a>(rule: &'a Rule, admin: &str) -> Option<&'a str> {
    let Some(Step::Jump(target)) = rule.steps.last() else { return None };
    let jump = jump_to_admin(target);
    let is_it = rule.is(&jump) || (target == admin && rule.does(&jump));
    is_it.then_some(target)
}
