//! A rule of iptables as far as it matters to published ports, whoever tells of it: `iptables-save` in words, the
//! kernel in expressions.

mod expressions;
mod words;

use std::net::IpAddr;
use std::ops::RangeInclusive;

use vocab::Protocol;

pub(super) use words::words;

/// A rule. Whatever else it matches narrows it down and does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rule {
    /// The chain it leads to.
    pub(super) jump: Option<String>,
    /// Whether it gives packets another destination.
    pub(super) translates: bool,
    /// The only protocol it is for.
    pub(super) protocol: Option<Protocol>,
    /// The only destination it is for.
    pub(super) destination: Option<IpAddr>,
    /// The only destination ports it is for; none means all.
    pub(super) ports: Vec<RangeInclusive<u16>>,
    pub(super) comment: Option<String>,
    /// Marks of packets that it looks for or sets.
    pub(super) marks: Vec<u32>,
}

impl Rule {
    /// Whether it leads to this chain.
    pub(super) fn leads_to(&self, chain: &str) -> bool {
        self.jump.as_deref() == Some(chain)
    }

    /// Whether it may be for packets to this port.
    pub(super) fn is_for(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol.is_none_or(|own| own == protocol)
            && (self.ports.is_empty() || self.ports.iter().any(|range| range.contains(&port)))
    }

    /// Whether it may be for packets to one of these destinations, `None` being all.
    pub(super) fn is_at(&self, destination: Option<IpAddr>) -> bool {
        match (self.destination, destination) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        }
    }
}
