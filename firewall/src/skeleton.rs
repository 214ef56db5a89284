//! The constant ruleset: which tables, chains, sets and rules are ours.
//!
//! It is installed once and never changes while we run; networks and containers are elements of its sets.
//! Whoever changes a value here raises its `version`: hosts that have the older one get the new one with
//! their next ADD, in one transaction, and elements are kept; a set whose key changes therefore gets a new
//! name. The golden files in `tests/golden` show the text.
//!
//! Why an element of `masquerade4` and `masquerade6` names the interface: two networks may have overlapping
//! subnets on different bridges, which one set of subnets could not hold. A packet that a bridge merely
//! passes on has no input interface at this hook, even where `br_netfilter` shows it to us, so that
//! containers of a network see one another's own addresses. The kernel tells the input interface at this
//! hook since Linux 5.7.

use crate::ruleset::{
    Chain, ChainKind, DataType, Family, Field, Hook, Match, Prefix, Priority, Rule, Set, Table, Verdict,
};

/// The table for packets. Published ports and isolation will find their place in it.
pub(crate) static PACKETS: Table = Table {
    family: Family::Inet,
    name: "netctl",
    version: 1,
    sets: &[MASQUERADE4, MASQUERADE6],
    chains: &[POSTROUTING],
};

/// The table for frames; it exists only where a source MAC is checked, for it costs every bridged frame a
/// look at its input interface.
pub(crate) static FRAMES: Table = Table {
    family: Family::Bridge,
    name: "netctl",
    version: 1,
    sets: &[SPOOF_PORTS, SPOOF_ALLOWED],
    chains: &[PREROUTING],
};

/// All tables of ours.
pub(crate) static TABLES: [&Table; 2] = [&PACKETS, &FRAMES];

/// IPv4 subnets, each with the interface through which it reaches the host.
pub(crate) const MASQUERADE4: Set =
    Set { name: "masquerade4", key: &[DataType::InterfaceName, DataType::Ipv4Address], interval: true };

/// IPv6 subnets, each with the interface through which it reaches the host.
pub(crate) const MASQUERADE6: Set =
    Set { name: "masquerade6", key: &[DataType::InterfaceName, DataType::Ipv6Address], interval: true };

/// Ports of bridges whose frames are checked.
pub(crate) const SPOOF_PORTS: Set =
    Set { name: "spoof_ports", key: &[DataType::InterfaceName], interval: false };

/// From which source MAC a checked port may send.
pub(crate) const SPOOF_ALLOWED: Set =
    Set { name: "spoof_allowed", key: &[DataType::InterfaceName, DataType::MacAddress], interval: false };

/// Order matters: packets for a group or for the subnet they come from keep their source address.
pub(crate) const POSTROUTING: Chain = Chain {
    name: "postrouting",
    kind: ChainKind::Nat,
    hook: Hook::Postrouting,
    priority: Priority::SourceNat,
    rules: &[
        Rule { matches: &[Match::Prefix(Field::Ipv4Destination, MULTICAST4)], verdict: Verdict::Return },
        Rule { matches: &[Match::Prefix(Field::Ipv6Destination, MULTICAST6)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(TO4, MASQUERADE4.name)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(TO6, MASQUERADE6.name)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(FROM4, MASQUERADE4.name)], verdict: Verdict::Masquerade },
        Rule { matches: &[Match::In(FROM6, MASQUERADE6.name)], verdict: Verdict::Masquerade },
    ],
};

const TO4: &[Field] = &[Field::InputInterface, Field::Ipv4Destination];
const TO6: &[Field] = &[Field::InputInterface, Field::Ipv6Destination];
const FROM4: &[Field] = &[Field::InputInterface, Field::Ipv4Source];
const FROM6: &[Field] = &[Field::InputInterface, Field::Ipv6Source];

/// Only the source MAC is looked at, as in the reference: addresses of IP and ARP are not its business.
pub(crate) const PREROUTING: Chain = Chain {
    name: "prerouting",
    kind: ChainKind::Filter,
    hook: Hook::Prerouting,
    priority: Priority::BridgeDestinationNat,
    rules: &[Rule {
        matches: &[
            Match::In(&[Field::InputInterface], SPOOF_PORTS.name),
            Match::NotIn(&[Field::InputInterface, Field::MacSource], SPOOF_ALLOWED.name),
        ],
        verdict: Verdict::Drop,
    }],
};

const MULTICAST4: Prefix = Prefix { text: "224.0.0.0/4", bits: &[0xe0, 0, 0, 0], mask: &[0xf0, 0, 0, 0] };

const MULTICAST6: Prefix = Prefix { text: "ff00::/8", bits: &[0xff], mask: &[0xff] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_the_golden_ones() {
        // A new text is a new version: hosts that have the old one would keep it otherwise.
        assert_eq!(PACKETS.to_string(), include_str!("../tests/golden/packets.nft"));
        assert_eq!(FRAMES.to_string(), include_str!("../tests/golden/frames.nft"));
    }
}
