//! What a host consists of at one moment, and how two moments differ.
//!
//! Everything is kept as facts: lines of text that a person can read, of one [`Topic`] each. What changes by
//! itself is left out when a fact is made (counters, timers, link states, interface numbers), so that
//! equal hosts have equal facts.

mod files;
mod links;
mod ruleset;

use crate::outcome::Unexpected;
use crate::place::Place;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

const COLLECT: &str = include_str!("snapshot/collect.sh");

/// How long the kernel and dying processes may take to clear away what was removed.
const SETTLE: Duration = Duration::from_secs(3);

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// A link: name, kind, MTU, master and so on.
    Link,
    /// An address on a link.
    Address,
    /// A route of any table and family.
    Route,
    /// A policy rule.
    Rule,
    /// A queueing discipline.
    Qdisc,
    /// A VLAN on a bridge or one of its ports.
    Vlan,
    /// A line of the nftables ruleset, with the table and chain or set that it is in.
    Nftables,
    /// A line of `iptables-save` or `ip6tables-save`.
    Iptables,
    /// A setting of the network, below `/proc/sys/net`.
    Sysctl,
    /// A file or folder where state is kept.
    File,
    /// A mount, those of namespaces included.
    Mount,
    /// A process.
    Process,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// A difference that is meant to be.
#[derive(Clone, Copy, Debug)]
pub enum Except<'a> {
    /// Everything of this topic.
    Topic(Topic),
    /// What there is by this interface: the link, its addresses, routes, policy rules, queues, VLANs and
    /// settings. The lines of firewalls are [`Text`](Self::Text).
    Interface(&'a str),
    /// Each fact of this topic with this text in it.
    Text(Topic, &'a str),
}

/// What a host consists of at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    facts: BTreeMap<(Topic, String), usize>,
}

/// A snapshot could not be taken.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("ask the programs of the host")]
    Collect(#[from] Unexpected),
    #[error("read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("understand what `{command}` says")]
    Parse { command: &'static str, source: serde_json::Error },
}

impl Snapshot {
    /// Looks at a host: its initial network namespace, its files and its processes. What is inside a
    /// container's namespace is the container's own.
    ///
    /// # Errors
    /// A file cannot be read, or a program failed that tells of the host.
    pub fn take(host: &impl Place) -> Result<Self, Error> {
        let mut snapshot = Self::default();
        // Before anything is started, for that would be a process of the host, too.
        snapshot.add(Topic::Process, files::processes(&host.root())?);
        snapshot.add(Topic::Mount, files::mounts(&host.root())?);
        snapshot.add(Topic::File, files::state(&host.root())?);
        for (title, text) in sections(&host.sh(COLLECT).ok()?) {
            snapshot.add_section(title, text)?;
        }
        Ok(snapshot)
    }

    /// What is different in `later`, a line each; empty when nothing is, but for what `except` allows.
    #[must_use]
    pub fn difference(&self, later: &Self, except: &[Except<'_>]) -> Vec<String> {
        let gone = self.facts.iter().filter(|(fact, count)| later.count(fact) < **count);
        let new = later.facts.iter().filter(|(fact, count)| self.count(fact) < **count);
        let gone = gone.map(|(fact, _)| ("gone", fact));
        let mut all: Vec<_> = gone.chain(new.map(|(fact, _)| ("new", fact))).collect();
        all.retain(|(_, (topic, text))| !except.iter().any(|except| except.allows(*topic, text)));
        all.sort_by_key(|(_, (topic, _))| *topic);
        all.iter().map(|(what, (topic, text))| format!("{what} {topic}: {text}")).collect()
    }

    /// How the host differs from this snapshot once it has come to rest: links vanish some 20 ms after they
    /// were removed, and a child that was left to wait for that may outlive its parent. Returns at once when
    /// there is no difference, and after three seconds when there is one.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn left_behind(&self, host: &impl Place, except: &[Except<'_>]) -> Result<Vec<String>, Error> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let left = self.difference(&Self::take(host)?, except);
            if left.is_empty() || Instant::now() > deadline {
                return Ok(left);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every fact of one topic, for tests that look for something particular.
    pub fn facts(&self, topic: Topic) -> impl Iterator<Item = &str> {
        self.facts.keys().filter(move |(of, _)| *of == topic).map(|(_, text)| text.as_str())
    }

    fn count(&self, fact: &(Topic, String)) -> usize {
        self.facts.get(fact).copied().unwrap_or(0)
    }

    fn add(&mut self, topic: Topic, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            *self.facts.entry((topic, text)).or_insert(0) += 1;
        }
    }

    fn add_section(&mut self, title: &str, text: &str) -> Result<(), Error> {
        match title {
            "links" => {
                let (links, addresses) = links::parse(text)?;
                self.add(Topic::Link, links);
                self.add(Topic::Address, addresses);
            }
            "vlans" => self.add(Topic::Vlan, links::parse_vlans(text)?),
            "routes" => self.add(Topic::Route, text.lines().map(ruleset::route)),
            "rules" => self.add(Topic::Rule, text.lines().map(ruleset::words)),
            "qdiscs" => self.add(Topic::Qdisc, text.lines().map(ruleset::qdisc)),
            "nftables" => self.add(Topic::Nftables, ruleset::nftables(text)),
            "iptables" | "ip6tables" => self.add(Topic::Iptables, ruleset::iptables(title, text)),
            _ => self.add(Topic::Sysctl, text.lines().map(ruleset::words)),
        }
        Ok(())
    }
}

impl Except<'_> {
    fn allows(&self, topic: Topic, text: &str) -> bool {
        match *self {
            Self::Topic(of) => of == topic,
            Self::Text(of, part) => of == topic && text.contains(part),
            Self::Interface(name) => {
                // Not in firewall rules, files and processes: there, a container's `eth0` may be named.
                let elsewhere = [Topic::Nftables, Topic::Iptables, Topic::File, Topic::Mount, Topic::Process];
                let separators = |c: char| c.is_whitespace() || matches!(c, '/' | '=');
                !elsewhere.contains(&topic) && text.split(separators).any(|word| word == name)
            }
        }
    }
}

fn sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix("== ").unwrap_or(text);
    text.split("\n== ").filter_map(|section| section.split_once('\n'))
}
