//! The constant ruleset: which tables, chains, sets and rules are ours.
//!
//! It is installed once and never changes while we run; networks, containers and ports are elements of its [`sets`].
//! Whoever changes a value here raises its `version`: hosts that have the older one get the new one with
//! their next ADD, in one transaction, and elements are kept; a set whose key changes therefore gets a new
//! name. The golden files in `tests/golden` show the text; `docs/firewall.md` draws the way of a packet through it.

pub(crate) mod sets;

use crate::ruleset::{
    Base, Chain, ChainKind, Family, Field, Hook, Match, Prefix, Priority, Rule, Set, Table, Verdict,
};
use sets::{
    ADDRESS_PORTS4, ADDRESS_PORTS6, ADDRESSED4, ADDRESSED6, GUARDED, HAIRPIN4, HAIRPIN6, INSIDE, INTERNAL,
    ISOLATED, LOCALHOST4, LOOPED4, LOOPED6, MASQUERADE_TO4, MASQUERADE_TO6, MASQUERADE4, MASQUERADE6,
    NETWORKS, PORTS4, PORTS6, PUBLISHERS, SECLUDED, SPOOF_ALLOWED, SPOOF_PORTS,
};

/// The table for packets.
pub(crate) static PACKETS: Table = Table {
    family: Family::Inet,
    name: "netctl",
    version: 2,
    sets: &[
        &MASQUERADE4,
        &MASQUERADE6,
        &PORTS4,
        &PORTS6,
        &ADDRESS_PORTS4,
        &ADDRESS_PORTS6,
        &ADDRESSED4,
        &ADDRESSED6,
        &HAIRPIN4,
        &HAIRPIN6,
        &LOOPED4,
        &LOOPED6,
        &LOCALHOST4,
        &MASQUERADE_TO4,
        &MASQUERADE_TO6,
        &PUBLISHERS,
        &NETWORKS,
        &INSIDE,
        &GUARDED,
        &INTERNAL,
        &ISOLATED,
        &SECLUDED,
    ],
    chains: &[&PUBLISHED, &REDIRECTED, &ARRIVING, &PREROUTING, &OUTPUT, &FORWARD, &POSTROUTING],
};

/// The chains without which a published port does not work as promised.
pub(crate) static PORT_CHAINS: [&Chain; 6] =
    [&PUBLISHED, &REDIRECTED, &ARRIVING, &PREROUTING, &OUTPUT, &POSTROUTING];

/// The table for frames; it exists only where a source MAC is checked, for it costs every bridged frame a
/// look at its input interface.
pub(crate) static FRAMES: Table = Table {
    family: Family::Bridge,
    name: "netctl",
    version: 1,
    sets: &[&SPOOF_PORTS, &SPOOF_ALLOWED],
    chains: &[&FRAMES_PREROUTING],
};

/// All tables of ours.
pub(crate) static TABLES: [&Table; 2] = [&PACKETS, &FRAMES];

/// Packets with a loopback address come from nowhere but the host itself. The kernel drops them, too, but not on a
/// bridge with `route_localnet`, which is what makes a published port answer at 127.0.0.1; and not before a packet to
/// 127.0.0.1 has been led to the container that published a port there. So they go before connections are tracked.
pub(crate) static ARRIVING: Chain = Chain {
    name: "arriving",
    base: Some(Base { kind: ChainKind::Filter, hook: Hook::Prerouting, priority: Priority::Raw }),
    rules: &[
        Rule {
            matches: &[
                Match::IsNot(Field::InputInterface, "lo"),
                Match::Prefix(Field::Ipv4Source, LOOPBACK4),
            ],
            verdict: Verdict::Drop,
        },
        Rule {
            matches: &[
                Match::IsNot(Field::InputInterface, "lo"),
                Match::Prefix(Field::Ipv4Destination, LOOPBACK4),
            ],
            verdict: Verdict::Drop,
        },
    ],
};

/// What comes for one of the host's addresses may be for a container's port.
pub(crate) static PREROUTING: Chain = Chain {
    name: "prerouting",
    base: Some(Base { kind: ChainKind::Nat, hook: Hook::Prerouting, priority: Priority::DestinationNat }),
    rules: TO_PUBLISHED,
};

/// So may what the host sends to itself.
pub(crate) static OUTPUT: Chain = Chain {
    name: "output",
    base: Some(Base { kind: ChainKind::Nat, hook: Hook::Output, priority: Priority::DestinationNat }),
    rules: TO_PUBLISHED,
};

const TO_PUBLISHED: &[Rule] = &[Rule { matches: &[Match::ToHost], verdict: Verdict::Jump(PUBLISHED.name) }];

/// The host's IPv6 loopback address leads nowhere: the answer could not come back to it, for the kernel has no
/// `route_localnet` there. A program that tries `::1` first is refused at once and goes on with 127.0.0.1. A port at one
/// address comes before the same port at all of them; no two containers can have both.
pub(crate) static PUBLISHED: Chain = Chain {
    name: "published",
    base: None,
    rules: &[
        Rule { matches: &[Match::Prefix(Field::Ipv6Destination, LOOPBACK6)], verdict: Verdict::Return },
        Rule {
            matches: &[],
            verdict: Verdict::RedirectBy(
                &[Field::Ipv4Destination, Field::Protocol, Field::DestinationPort],
                &ADDRESS_PORTS4,
            ),
        },
        Rule {
            matches: &[],
            verdict: Verdict::RedirectBy(
                &[Field::Ipv6Destination, Field::Protocol, Field::DestinationPort],
                &ADDRESS_PORTS6,
            ),
        },
        Rule {
            matches: &[],
            verdict: Verdict::RedirectBy(&[Field::Protocol, Field::DestinationPort], &PORTS4),
        },
        Rule {
            matches: &[],
            verdict: Verdict::RedirectBy(&[Field::Protocol, Field::DestinationPort], &PORTS6),
        },
    ],
};

/// What may be forwarded. The first rule lets everything pass that has passed before, whatever networks there are. A
/// network that says nothing of itself is in none of these sets, and nothing is decided about it here; and a packet that
/// is accepted here may still be dropped in the table of somebody else.
///
/// A packet that comes from a network and stays in it is seen here where `br_netfilter` shows it, or when it came for a
/// published port.
pub(crate) static FORWARD: Chain = Chain {
    name: "forward",
    base: Some(Base { kind: ChainKind::Filter, hook: Hook::Forward, priority: Priority::Filter }),
    rules: &[
        Rule { matches: &[Match::Established], verdict: Verdict::Accept },
        Rule { matches: &[Match::In(WITHIN, &INSIDE), Match::Redirected], verdict: Verdict::Accept },
        Rule { matches: &[Match::In(WITHIN, &SECLUDED)], verdict: Verdict::Drop },
        Rule { matches: &[Match::In(WITHIN, &INSIDE)], verdict: Verdict::Accept },
        Rule { matches: &[Match::In(FROM, &INTERNAL)], verdict: Verdict::Drop },
        Rule { matches: &[Match::In(TO, &INTERNAL)], verdict: Verdict::Drop },
        // Whoever published a port wants it to be reached, from other networks as well.
        Rule { matches: &[Match::Redirected], verdict: Verdict::Accept },
        Rule { matches: &[Match::In(FROM, &ISOLATED), Match::In(TO, &NETWORKS)], verdict: Verdict::Drop },
        Rule { matches: &[Match::In(FROM, &NETWORKS), Match::In(TO, &ISOLATED)], verdict: Verdict::Drop },
        Rule { matches: &[Match::In(TO, &GUARDED), Match::NotIn(FROM, &NETWORKS)], verdict: Verdict::Drop },
    ],
};

const FROM: &[Field] = &[Field::InputInterface];
const TO: &[Field] = &[Field::OutputInterface];
const WITHIN: &[Field] = &[Field::InputInterface, Field::OutputInterface];

/// Order matters: packets for a group or for the subnet they come from keep their source address, unless they came
/// for a published port.
///
/// An element of `masquerade4` and `masquerade6` names the interface because two networks may have overlapping subnets
/// on different bridges, which one set of subnets could not hold. A packet that a bridge merely passes on has no input
/// interface at this hook, even where `br_netfilter` shows it to us, so that containers of a network see one another's
/// own addresses. The kernel tells the input interface at this hook since Linux 5.7.
pub(crate) static POSTROUTING: Chain = Chain {
    name: "postrouting",
    base: Some(Base { kind: ChainKind::Nat, hook: Hook::Postrouting, priority: Priority::SourceNat }),
    rules: &[
        Rule { matches: &[Match::Redirected], verdict: Verdict::Jump(REDIRECTED.name) },
        Rule { matches: &[Match::Prefix(Field::Ipv4Destination, MULTICAST4)], verdict: Verdict::Return },
        Rule { matches: &[Match::Prefix(Field::Ipv6Destination, MULTICAST6)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(ARRIVED_FOR4, &MASQUERADE4)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(ARRIVED_FOR6, &MASQUERADE6)], verdict: Verdict::Return },
        Rule { matches: &[Match::In(ARRIVED_FROM4, &MASQUERADE4)], verdict: Verdict::Masquerade },
        Rule { matches: &[Match::In(ARRIVED_FROM6, &MASQUERADE6)], verdict: Verdict::Masquerade },
    ],
};

/// Whom a published port's container could not answer, or not by way of us, is masqueraded: a neighbour on its own
/// network, to whom it would answer directly and from an address that the neighbour never asked; itself, once as a
/// packet that was routed and once as one that the bridge passed back (`br_netfilter`), where no input interface is
/// known; the host's 127.0.0.1. Everybody else is seen as who he is, unless the container asks otherwise.
pub(crate) static REDIRECTED: Chain = Chain {
    name: "redirected",
    base: None,
    rules: &[
        Rule { matches: &[Match::In(ARRIVED_FOR4, &HAIRPIN4)], verdict: Verdict::Masquerade },
        Rule { matches: &[Match::In(ARRIVED_FOR6, &HAIRPIN6)], verdict: Verdict::Masquerade },
        Rule {
            matches: &[Match::In(&[Field::Ipv4Source, Field::Ipv4Destination], &LOOPED4)],
            verdict: Verdict::Masquerade,
        },
        Rule {
            matches: &[Match::In(&[Field::Ipv6Source, Field::Ipv6Destination], &LOOPED6)],
            verdict: Verdict::Masquerade,
        },
        Rule {
            matches: &[
                Match::Prefix(Field::Ipv4Source, LOOPBACK4),
                Match::In(&[Field::Ipv4Destination], &LOCALHOST4),
            ],
            verdict: Verdict::Masquerade,
        },
        Rule {
            matches: &[Match::In(&[Field::Ipv4Destination], &MASQUERADE_TO4)],
            verdict: Verdict::Masquerade,
        },
        Rule {
            matches: &[Match::In(&[Field::Ipv6Destination], &MASQUERADE_TO6)],
            verdict: Verdict::Masquerade,
        },
    ],
};

const ARRIVED_FOR4: &[Field] = &[Field::InputInterface, Field::Ipv4Destination];
const ARRIVED_FOR6: &[Field] = &[Field::InputInterface, Field::Ipv6Destination];
const ARRIVED_FROM4: &[Field] = &[Field::InputInterface, Field::Ipv4Source];
const ARRIVED_FROM6: &[Field] = &[Field::InputInterface, Field::Ipv6Source];

/// Only the source MAC is looked at, as in the reference: addresses of IP and ARP are not its business.
pub(crate) static FRAMES_PREROUTING: Chain = Chain {
    name: "prerouting",
    base: Some(Base {
        kind: ChainKind::Filter,
        hook: Hook::Prerouting,
        priority: Priority::BridgeDestinationNat,
    }),
    rules: &[Rule {
        matches: &[
            Match::In(&[Field::InputInterface], &SPOOF_PORTS),
            Match::NotIn(&[Field::InputInterface, Field::MacSource], &SPOOF_ALLOWED),
        ],
        verdict: Verdict::Drop,
    }],
};

const LOOPBACK4: Prefix = Prefix { text: "127.0.0.0/8", bits: &[127], mask: &[0xff] };

const LOOPBACK6: Prefix =
    Prefix { text: "::1", bits: &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], mask: &[0xff; 16] };

const MULTICAST4: Prefix = Prefix { text: "224.0.0.0/4", bits: &[0xe0, 0, 0, 0], mask: &[0xf0, 0, 0, 0] };

const MULTICAST6: Prefix = Prefix { text: "ff00::/8", bits: &[0xff], mask: &[0xff] };

/// The sets whose elements name the networks that want them; the others' elements name one attachment.
pub(crate) static NETWORK_SETS: [&Set; 8] =
    [&MASQUERADE4, &MASQUERADE6, &NETWORKS, &INSIDE, &GUARDED, &INTERNAL, &ISOLATED, &SECLUDED];

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
