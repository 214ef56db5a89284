//! Whether something is there, found out without starting a program.

use std::fs;

use netlink_packet_netfilter::NetfilterProtoFamily;

use super::Version;
use super::kind::Kind;
use crate::channel;
use crate::firewall::Firewall;

/// Whether a chain or table is there, as far as that is known without starting a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Absent,
    /// The old iptables of this kernel is in use, which only its program can read.
    Unknown,
}

impl Firewall {
    /// Whether the object of `table` that `question` is about is there.
    pub(super) fn presence(
        &mut self,
        version: Version,
        table: &str,
        question: impl Fn(NetfilterProtoFamily) -> channel::Question,
    ) -> Result<Presence, channel::Error> {
        if is_old(version, table) {
            return Ok(Presence::Unknown);
        }
        let answers = self.attempt(|channel| channel.ask(vec![question(version.family())]))?;
        Ok(if answers.iter().any(Option::is_some) { Presence::Present } else { Presence::Absent })
    }
}

/// Whether a table is the old iptables' and `iptables-restore` would change it there.
pub(super) fn is_old(version: Version, table: &str) -> bool {
    let names = match version {
        Version::V4 => "/proc/thread-self/net/ip_tables_names",
        Version::V6 => "/proc/thread-self/net/ip6_tables_names",
    };
    // Where this file does not list a table, the old iptables has never been asked for it. Where it does, somebody
    // may have asked by the old program's own name.
    let names = fs::read_to_string(names).unwrap_or_default();
    names.lines().any(|name| name == table) && Kind::of_programs(version) != Some(Kind::New)
}
