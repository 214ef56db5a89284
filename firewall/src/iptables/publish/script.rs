//! From what is there to what should be: scripts for `iptables-restore`. No input, no output.

use super::PublicationOwner;
use super::label::{self, DNAT};
use super::plan::Plan;
use super::rule::Rule;
use super::saved::{Saved, SavedRule};
use super::shared;

/// What publishes a container's ports and takes away whatever else was in its chain; nothing if that is so already.
/// All that containers share is completed, too.
pub(super) fn addition(plan: &Plan, saved: &Saved) -> Option<Vec<String>> {
    let completion = shared::completion(saved, plan.mark, &plan.chain);
    match completion.is_empty() {
        true => replacement(plan, saved),
        false => Some(replacing(plan, saved, completion)),
    }
}

/// The same where all that containers share is complete.
pub(super) fn replacement(plan: &Plan, saved: &Saved) -> Option<Vec<String>> {
    (!is_published(plan, saved)).then(|| replacing(plan, saved, Vec::new()))
}

fn replacing(plan: &Plan, saved: &Saved, completion: Vec<String>) -> Vec<String> {
    let entries = saved.rules_of(DNAT).filter(|entry| entry.rule.leads_to(&plan.chain));
    entries.map(SavedRule::deletion).chain(completion).chain(own(plan)).collect()
}

/// The container's own lines.
pub(super) fn own(plan: &Plan) -> Vec<String> {
    // Declaring a chain that is there empties it.
    let chain = format!(":{} - [0:0]", plan.chain);
    [&chain].into_iter().chain(&plan.rules).chain(&plan.entries).cloned().collect()
}

/// Whether the container's own lines are there, and no others.
fn is_published(plan: &Plan, saved: &Saved) -> bool {
    let entries = saved.rules_of(DNAT).filter(|entry| entry.rule.leads_to(&plan.chain));
    // How iptables lists conditions cannot be told from how they are written.
    !plan.has_conditions
        && saved.rules_of(&plan.chain).map(|rule| &rule.line).eq(&plan.rules)
        && entries.map(|entry| &entry.line).eq(&plan.entries)
}

/// The lines that should be there and are not; those with conditions are not looked for.
pub(super) fn missing(plan: &Plan, saved: &Saved) -> Vec<String> {
    let shared = shared::lines(plan.mark);
    let entries = plan.entries.iter().filter(|_| !plan.has_conditions);
    saved.lacking(shared.iter().chain(&plan.rules).chain(entries))
}

/// What takes away these chains of containers and all that leads there, and what all containers share with the
/// last; nothing if there are none.
pub(super) fn removal(saved: &Saved, chains: &[String]) -> Option<Vec<String>> {
    let jumps = saved.rules.iter().filter(|rule| chains.iter().any(|chain| rule.rule.leads_to(chain)));
    let mut script: Vec<_> = jumps.map(SavedRule::deletion).collect();
    for chain in chains.iter().filter(|chain| saved.has_chain(chain)) {
        script.extend([format!("-F {chain}"), format!("-X {chain}")]);
    }
    if script.is_empty() {
        return None;
    }
    script.extend(shared::removal(saved, chains));
    Some(script)
}

/// Whose chains the entries lead to, each once. What does not prove its owner belongs to nobody.
pub(super) fn owners<'a>(entries: impl Iterator<Item = &'a Rule>) -> Vec<PublicationOwner> {
    let mut owners = Vec::new();
    for owner in entries.filter_map(owner) {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    owners
}

/// Whose chain an entry leads to.
pub(super) fn owner(entry: &Rule) -> Option<PublicationOwner> {
    label::owner(entry.comment.as_deref()?, entry.jump.as_deref()?)
}

#[cfg(test)]
mod tests;
