//! A table as `iptables-save` tells it.

use std::collections::HashSet;

use super::rule::{Rule, words};

/// A table: its chains and rules, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) chains: Vec<String>,
    pub(super) rules: Vec<SavedRule>,
}

/// A rule and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SavedRule {
    pub(super) chain: String,
    /// `-A CHAIN …`
    pub(super) line: String,
    pub(super) rule: Rule,
}

impl Saved {
    /// Reads what `iptables-save -t TABLE` printed.
    pub(super) fn parse(text: &str) -> Self {
        let mut saved = Self::default();
        for line in text.lines() {
            if let Some(chain) = line.strip_prefix(':').and_then(|rest| rest.split(' ').next()) {
                saved.chains.push(chain.to_owned());
            } else if let Some(rest) = line.strip_prefix("-A ") {
                let mut words = words(rest);
                if !words.is_empty() {
                    let chain = words.remove(0);
                    saved.rules.push(SavedRule {
                        chain,
                        line: line.to_owned(),
                        rule: Rule::from_words(&words),
                    });
                }
            }
        }
        saved
    }

    pub(super) fn has_chain(&self, name: &str) -> bool {
        self.chains.iter().any(|chain| chain == name)
    }

    /// Those of these lines that are not there.
    pub(super) fn lacking<'a>(&self, lines: impl Iterator<Item = &'a String>) -> Vec<String> {
        let there: HashSet<_> = self.rules.iter().map(|rule| &rule.line).collect();
        lines.filter(|line| !there.contains(line)).cloned().collect()
    }

    /// The rules of a chain.
    pub(super) fn rules_of(&self, chain: &str) -> impl Iterator<Item = &SavedRule> {
        self.rules.iter().filter(move |rule| rule.chain == chain)
    }

    /// The rules that lead to a chain.
    pub(super) fn jumps_to(&self, chain: &str) -> impl Iterator<Item = &SavedRule> {
        self.rules.iter().filter(move |rule| rule.rule.leads_to(chain))
    }
}

impl SavedRule {
    /// The line that deletes it.
    pub(super) fn deletion(&self) -> String {
        format!("-D{}", self.line.strip_prefix("-A").unwrap_or(&self.line))
    }
}
