//! What all containers share: the chains that the reference made once and for all, and the way into them.
//!
//! Here are the words for the old iptables, and for looking; where nf_tables holds the rules, `kernel::prepare`
//! makes them. `iptables-restore` does all lines of a script or none, but it cannot look and then act. So a script
//! is made for what was seen, and fails when that is no longer true; then one looks again. What makes it fail:
//!
//! * `-N` when the chain is there by now.
//! * `-X` when the chain has a rule that was not seen, or when a rule leads to it that was not seen. A chain that
//!   lacks something is therefore taken apart rule by rule, deleted, and made anew, all in one step.

use super::label::{CHAIN_PREFIX, DNAT, MASQUERADE, SET_MARK};
use super::saved::{Saved, SavedRule};

/// From where the chains of destinations and of masquerade are entered.
const ENTRANCES: [&str; 2] = ["PREROUTING", "OUTPUT"];
const EXITS: [&str; 1] = ["POSTROUTING"];

/// The reference's comments.
pub(super) const MASQUERADE_COMMENT: &str = "CNI portfwd requiring masquerade";
pub(super) const SET_MARK_COMMENT: &str = "CNI portfwd masquerade mark";

/// Lines that lead into the shared chains.
pub(super) const FROM_PREROUTING: &str = "-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
pub(super) const FROM_OUTPUT: &str = "-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT";
pub(super) const FROM_POSTROUTING: &str =
    "-A POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ";

/// The line that marks a connection.
pub(super) fn set_mark(mark: u32) -> String {
    format!(
        "-A {SET_MARK} -m comment --comment \"{SET_MARK_COMMENT}\" -j MARK --set-xmark {mark:#x}/{mark:#x}"
    )
}

/// The line that masquerades marked connections.
pub(super) fn masquerade(mark: u32) -> String {
    format!("-A {MASQUERADE} -m mark --mark {mark:#x}/{mark:#x} -j MASQUERADE")
}

/// All lines that must be there for a container with this mark.
pub(super) fn lines(mark: Option<u32>) -> Vec<String> {
    let ways = [FROM_PREROUTING, FROM_OUTPUT].into_iter().chain(mark.map(|_| FROM_POSTROUTING));
    let ways = ways.map(str::to_owned);
    ways.chain(mark.iter().flat_map(|mark| [set_mark(*mark), masquerade(*mark)])).collect()
}

/// What completes the shared chains; nothing if they are complete. Entries for `own`, a container's chain, are gone
/// before and are not made anew.
pub(super) fn completion(saved: &Saved, mark: Option<u32>, own: &str) -> Vec<String> {
    let mut script = Vec::new();
    if !is_entered(saved, DNAT, &ENTRANCES) {
        let entries = saved.rules_of(DNAT).filter(|entry| !entry.rule.leads_to(own));
        let entries = entries.map(|entry| entry.line.clone()).collect();
        take_apart(&mut script, saved, DNAT, own);
        make(&mut script, saved, DNAT, entries, &ENTRANCES);
        script.extend([FROM_PREROUTING, FROM_OUTPUT].map(str::to_owned));
    }
    if let Some(mark) = mark
        && !(has_mark(saved, MASQUERADE, mark)
            && has_mark(saved, SET_MARK, mark)
            && is_entered(saved, MASQUERADE, &EXITS))
    {
        // Both chains change together, and the one that can be deleted guards the other, which containers lead to.
        take_apart(&mut script, saved, MASQUERADE, own);
        make(&mut script, saved, MASQUERADE, with(saved, MASQUERADE, masquerade(mark)), &EXITS);
        script.push(format!(":{SET_MARK} - [0:0]"));
        script.extend(with(saved, SET_MARK, set_mark(mark)));
        // First, or a rule that accepts would keep packets from here.
        script.push(FROM_POSTROUTING.replacen("-A", "-I", 1));
    }
    script
}

/// What takes away the shared chains with the last container's; nothing while somebody still needs them. `gone` are
/// the chains that go with the same script.
pub(super) fn removal(saved: &Saved, gone: &[String]) -> Vec<String> {
    let is_gone =
        |rule: &&SavedRule| gone.contains(&rule.chain) || gone.iter().any(|chain| rule.rule.leads_to(chain));
    let is_needed = |chain: &str, ways: &[&str]| {
        saved.jumps_to(chain).filter(|jump| !is_gone(jump)).any(|jump| !ways.contains(&jump.chain.as_str()))
    };
    let mut containers = saved.chains.iter().filter(|chain| chain.starts_with(CHAIN_PREFIX));
    if containers.any(|chain| !gone.contains(chain))
        || saved.rules_of(DNAT).any(|entry| !is_gone(&entry))
        || is_needed(DNAT, &ENTRANCES)
        || is_needed(MASQUERADE, &EXITS)
        || is_needed(SET_MARK, &[])
    {
        return Vec::new();
    }
    let mut script = Vec::new();
    for chain in [DNAT, MASQUERADE, SET_MARK].into_iter().filter(|chain| saved.has_chain(chain)) {
        script.extend(saved.jumps_to(chain).filter(|jump| !is_gone(jump)).map(SavedRule::deletion));
        script.extend(saved.rules_of(chain).filter(|rule| !is_gone(rule)).map(SavedRule::deletion));
        script.push(format!("-X {chain}"));
    }
    script
}

/// Deletes a chain, if it is as it was seen but for the entries of `own`.
fn take_apart(script: &mut Vec<String>, saved: &Saved, chain: &str, own: &str) {
    if saved.has_chain(chain) {
        script.extend(saved.jumps_to(chain).map(SavedRule::deletion));
        let rules = saved.rules_of(chain).filter(|rule| !rule.rule.leads_to(own));
        script.extend(rules.map(SavedRule::deletion));
        script.push(format!("-X {chain}"));
    }
}

/// Makes a chain with these rules. What led there from elsewhere than the usual `ways` is somebody's own idea, and
/// leads there again.
fn make(script: &mut Vec<String>, saved: &Saved, chain: &str, rules: Vec<String>, ways: &[&str]) {
    script.push(format!("-N {chain}"));
    script.extend(rules);
    let others = saved.jumps_to(chain).filter(|jump| !ways.contains(&jump.chain.as_str()));
    script.extend(others.map(|jump| jump.line.clone()));
}

/// Whether exactly one rule of each of `chains` leads to `chain`.
fn is_entered(saved: &Saved, chain: &str, chains: &[&str]) -> bool {
    chains.iter().all(|from| saved.jumps_to(chain).filter(|jump| jump.chain == *from).count() == 1)
}

fn has_mark(saved: &Saved, chain: &str, mark: u32) -> bool {
    saved.rules_of(chain).any(|rule| rule.rule.marks.contains(&mark))
}

/// The rules of a chain, and this one.
fn with(saved: &Saved, chain: &str, line: String) -> Vec<String> {
    let mut lines: Vec<_> = saved.rules_of(chain).map(|rule| rule.line.clone()).collect();
    if !lines.contains(&line) {
        lines.push(line);
    }
    lines
}
