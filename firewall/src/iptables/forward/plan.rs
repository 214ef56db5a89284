//! Which rules a container needs, and what has to be changed for them. No input, no output.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::line::{Line, Output, Standing, State, Target};
use super::{Ingress, IngressPolicy};
use crate::iptables::Version;
use vocab::InterfaceName;

/// The reference's chains.
pub(super) const FORWARD: &str = "FORWARD";
pub(super) const CNI_FORWARD: &str = "CNI-FORWARD";
pub(super) const STAGE1: &str = "CNI-ISOLATION-STAGE-1";
pub(super) const STAGE2: &str = "CNI-ISOLATION-STAGE-2";

/// What must be there, in one address family.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Chains that others jump to.
    pub(super) chains: Vec<String>,
    /// Rules at the head of their chain, in their final order.
    pub(super) heads: Vec<Head>,
    /// Rules anywhere behind.
    pub(super) tails: Vec<Line>,
}

/// A rule at the head of its chain.
#[derive(Debug)]
pub(super) struct Head {
    line: Line,
    before: Before,
    /// What it must not be put in front of, where that is there.
    after: Option<Line>,
}

/// A rule that is to be put in front of those from a position on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Insert<'a> {
    pub(super) line: &'a Line,
    pub(super) at: usize,
}

/// What must not stand before it.
#[derive(Debug)]
enum Before {
    /// Whatever others put there later has its reasons.
    Nothing,
    /// A rule that decides, as opposed to one that asks another chain.
    Decisions,
    /// A certain rule.
    Line(Line),
}

/// The chains that matter, each with its rules; those that are absent are not in it.
pub(super) type Listing<R> = BTreeMap<String, Vec<R>>;

/// What turns a listing into what it should be.
#[derive(Debug)]
pub(super) struct Changes<'a, R> {
    pub(super) chains: Vec<&'a str>,
    /// Heads that stand too far behind.
    pub(super) misplaced: Vec<(&'a str, &'a R)>,
    /// To be put there in this order.
    pub(super) heads: Vec<Insert<'a>>,
    pub(super) tails: Vec<&'a Line>,
}

impl<R> Changes<'_, R> {
    pub(super) fn is_empty(&self) -> bool {
        self.only_appends() && self.tails.is_empty()
    }

    /// Whether all that the containers share is in place.
    pub(super) fn only_appends(&self) -> bool {
        self.chains.is_empty() && self.misplaced.is_empty() && self.heads.is_empty()
    }

    /// What is missing, in words.
    pub(super) fn describe(&self) -> Vec<String> {
        let chains = self.chains.iter().map(|chain| format!("the chain {chain}"));
        let heads = self.heads.iter().map(|Insert { line, .. }| {
            match self.misplaced.iter().any(|(chain, _)| *chain == line.chain) {
                true => format!("the rule `-A {line}` in its place at the head"),
                false => format!("the rule `-A {line}`"),
            }
        });
        let tails = self.tails.iter().map(|line| format!("the rule `-A {line}`"));
        chains.chain(heads).chain(tails).collect()
    }
}

impl Plan {
    /// The way for a container's packets.
    pub(super) fn forward(admin: &str, addresses: &[IpAddr], version: Version) -> Self {
        let addresses = addresses.iter().filter(|address| Version::of(**address) == version);
        Self {
            chains: vec![admin.to_owned(), CNI_FORWARD.to_owned()],
            heads: vec![
                // Another network may have closed its bridge; this one's way must not lead around that.
                Head {
                    line: jump_to_forward(),
                    before: Before::Nothing,
                    after: Some(Line::new(FORWARD, Target::Jump(STAGE1.to_owned()))),
                },
                Head { line: jump_to_admin(admin), before: Before::Decisions, after: None },
            ],
            tails: addresses.flat_map(|address| address_lines(*address)).collect(),
        }
    }

    /// Who may reach the containers of a bridge.
    pub(super) fn ingress(ingress: &Ingress<'_>) -> Self {
        let back = |chain: &str| Line::new(chain, Target::Return).commented(comment(ingress.policy));
        let heads = bridge_lines(ingress).into_iter().map(|line| {
            let before = Before::Line(back(&line.chain));
            Head { line, before, after: None }
        });
        let mut all = vec![Head {
            line: Line::new(FORWARD, Target::Jump(STAGE1.to_owned())).commented(comment(ingress.policy)),
            before: Before::Line(jump_to_forward()),
            after: None,
        }];
        all.extend(heads);
        Self {
            chains: vec![STAGE1.to_owned(), STAGE2.to_owned()],
            heads: all,
            tails: vec![back(STAGE1), back(STAGE2)],
        }
    }

    /// Both.
    pub(super) fn and(mut self, mut other: Self) -> Self {
        // Before the way is opened it is closed where it must be.
        other.heads.append(&mut self.heads);
        self.chains.append(&mut other.chains);
        self.tails.append(&mut other.tails);
        Self { heads: other.heads, ..self }
    }

    /// The chains whose rules have to be looked at.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        std::iter::once(FORWARD).chain(self.chains.iter().map(String::as_str))
    }

    /// Its rules in a chain.
    pub(super) fn lines_in<'a>(&'a self, chain: &'a str) -> impl Iterator<Item = &'a Line> {
        let all = self.heads.iter().map(|head| &head.line).chain(&self.tails);
        all.filter(move |line| line.chain == chain)
    }

    /// What is missing from `listing`.
    pub(super) fn changes<'a, R: Standing>(&'a self, listing: &'a Listing<R>) -> Changes<'a, R> {
        let rules = |chain: &str| listing.get(chain).map(Vec::as_slice).unwrap_or_default();
        let mut changes =
            Changes { chains: Vec::new(), misplaced: Vec::new(), heads: Vec::new(), tails: Vec::new() };
        changes
            .chains
            .extend(self.chains.iter().map(String::as_str).filter(|chain| !listing.contains_key(*chain)));
        for head in &self.heads {
            let rules = rules(&head.line.chain);
            match rules.iter().position(|rule| rule.does(&head.line)) {
                Some(position) if head.may_stand_at(position, rules) => {}
                Some(position) => {
                    changes.misplaced.push((&head.line.chain, &rules[position]));
                    changes.heads.push(head.insert(rules));
                }
                None => changes.heads.push(head.insert(rules)),
            }
        }
        let is_missing = |line: &&Line| {
            let is_there = |rule: &R| if line.comment.is_some() { rule.does(line) } else { rule.is(line) };
            !rules(&line.chain).iter().any(is_there)
        };
        changes.tails.extend(self.tails.iter().filter(is_missing));
        changes
    }
}

impl Head {
    fn insert<R: Standing>(&self, rules: &[R]) -> Insert<'_> {
        let last = self.after.as_ref().and_then(|after| rules.iter().rposition(|rule| rule.does(after)));
        Insert { line: &self.line, at: last.map_or(0, |position| position + 1) }
    }

    fn may_stand_at<R: Standing>(&self, position: usize, rules: &[R]) -> bool {
        let mut before = rules[..position].iter();
        match &self.before {
            Before::Nothing => true,
            Before::Decisions => before.all(Standing::jumps),
            Before::Line(line) => !before.any(|rule| rule.does(line)),
        }
    }
}

/// What an address needs: the reference's two rules, and a third.
///
/// The reference forgets published ports: a connection from outside that a DNAT rule sent to the container is new,
/// so it meets neither of the two and a policy of drop ends it. That it was translated tells that somebody on this
/// host published the port; any other connection to the address is dropped as before.
pub(super) fn address_lines(address: IpAddr) -> [Line; 3] {
    let to = |state| {
        let line = Line::new(CNI_FORWARD, Target::Accept);
        Line { destination: Some(address), state: Some(state), ..line }
    };
    [
        to(State::Established),
        Line { source: Some(address), ..Line::new(CNI_FORWARD, Target::Accept) },
        to(State::Translated),
    ]
}

pub(super) fn jump_to_forward() -> Line {
    Line::new(FORWARD, Target::Jump(CNI_FORWARD.to_owned())).commented("CNI firewall plugin rules")
}

pub(super) fn jump_to_admin(admin: &str) -> Line {
    Line::new(CNI_FORWARD, Target::Jump(admin.to_owned())).commented("CNI firewall plugin admin overrides")
}

fn comment(policy: IngressPolicy) -> String {
    format!("CNI firewall plugin rules (ingressPolicy: {policy})")
}

/// The bridges among `names` that rules of the first stage close, and how.
pub(super) fn closed_bridges<R: Standing>(
    names: Vec<InterfaceName>,
    stage1: &[R],
) -> Vec<(InterfaceName, IngressPolicy)> {
    let is_closed = |bridge: &InterfaceName, policy| {
        let lines = bridge_lines(&Ingress { bridge, policy });
        lines.iter().filter(|line| line.chain == STAGE1).all(|line| stage1.iter().any(|rule| rule.does(line)))
    };
    // The stricter one has all rules of the other.
    let policy_of = |bridge: &InterfaceName| {
        [IngressPolicy::Isolated, IngressPolicy::SameBridge]
            .into_iter()
            .find(|policy| is_closed(bridge, *policy))
    };
    names.into_iter().filter_map(|bridge| policy_of(&bridge).map(|policy| (bridge, policy))).collect()
}

/// What closes a bridge: packets from it to another closed bridge are dropped by the second stage, and with
/// [`IngressPolicy::Isolated`] those that come back to it by the first.
pub(super) fn bridge_lines(ingress: &Ingress<'_>) -> Vec<Line> {
    let bridge = ingress.bridge;
    let comment = comment(ingress.policy);
    let leaving = Line {
        input: Some(bridge.clone()),
        output: Some(Output::IsNot(bridge.clone())),
        ..Line::new(STAGE1, Target::Jump(STAGE2.to_owned())).commented(&*comment)
    };
    let entering = Line {
        output: Some(Output::Is(bridge.clone())),
        ..Line::new(STAGE2, Target::Drop).commented(&*comment)
    };
    let staying = Line {
        input: Some(bridge.clone()),
        output: Some(Output::Is(bridge.clone())),
        ..Line::new(STAGE1, Target::Drop).commented(&*comment)
    };
    match ingress.policy {
        IngressPolicy::SameBridge => vec![leaving, entering],
        IngressPolicy::Isolated => vec![leaving, entering, staying],
    }
}
