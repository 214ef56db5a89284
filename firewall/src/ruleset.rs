//! A ruleset as a value, and its text as `nft` prints it.
//!
//! The words are those of nftables; there are just as many as our tables need. The text is what a person
//! reviews and what the golden tests compare with the kernel's own listing, so that the value, the messages
//! made of it and what is really installed cannot drift apart.

use std::fmt::{self, Display, Formatter};

/// Which packets a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4 and IPv6 packets.
    Inet,
    /// Frames that pass through a bridge.
    Bridge,
}

/// A table: the unit that is installed, replaced and removed as a whole.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) family: Family,
    pub(crate) name: &'static str,
    /// To be raised with every change of the value: an installed table with a lower number is replaced.
    pub(crate) version: u32,
    pub(crate) sets: &'static [Set],
    pub(crate) chains: &'static [Chain],
}

/// A set: what changes while the rules stay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// The parts of a key, one after the other.
    pub(crate) key: &'static [DataType],
    /// Whether an element is a range of keys rather than one key.
    pub(crate) interval: bool,
}

/// What a part of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    InterfaceName,
    Ipv4Address,
    Ipv6Address,
    MacAddress,
}

/// A base chain: rules at a hook of the kernel.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) name: &'static str,
    pub(crate) kind: ChainKind,
    pub(crate) hook: Hook,
    pub(crate) priority: Priority,
    pub(crate) rules: &'static [Rule],
}

/// What a chain's rules may do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChainKind {
    Filter,
    Nat,
}

/// Where on its way a packet meets a chain.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hook {
    Prerouting,
    Postrouting,
}

/// When a packet meets a chain, among the chains of a hook.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Priority {
    /// Where source addresses are translated (IPv4 and IPv6).
    SourceNat,
    /// Where destination addresses are translated on a bridge; the first that may be used.
    BridgeDestinationNat,
}

/// What packets a rule is about, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Rule {
    /// All of them must hold.
    pub(crate) matches: &'static [Match],
    pub(crate) verdict: Verdict,
}

/// A condition.
#[derive(Debug)]
pub(crate) enum Match {
    /// The field begins with the bits of the prefix.
    Prefix(Field, Prefix),
    /// The fields, one after the other, are in the set.
    In(&'static [Field], &'static str),
    /// They are not.
    NotIn(&'static [Field], &'static str),
}

/// The first bits of an address.
#[derive(Debug)]
pub(crate) struct Prefix {
    pub(crate) text: &'static str,
    pub(crate) bits: &'static [u8],
    pub(crate) mask: &'static [u8],
}

/// What a packet is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    InputInterface,
    Ipv4Source,
    Ipv4Destination,
    Ipv6Source,
    Ipv6Destination,
    MacSource,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    Drop,
    Masquerade,
    Return,
}

impl Table {
    /// Its name as nft's commands have it.
    pub(crate) fn title(&self) -> String {
        let family = match self.family {
            Family::Inet => "inet",
            Family::Bridge => "bridge",
        };
        format!("table {family} {}", self.name)
    }
}

impl Chain {
    /// What a chain of this version bears as its comment.
    pub(crate) fn comment(version: u32) -> String {
        format!("netctl rules, version {version}")
    }

    /// The version in a comment that [`Chain::comment`] made.
    pub(crate) fn version(comment: &str) -> Option<u32> {
        comment.strip_prefix("netctl rules, version ")?.parse().ok()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {{", self.title())?;
        for set in self.sets {
            writeln!(f, "{set}\n")?;
        }
        for (position, chain) in self.chains.iter().enumerate() {
            let gap = if position == 0 { "" } else { "\n" };
            writeln!(f, "{gap}\tchain {} {{", chain.name)?;
            writeln!(f, "\t\tcomment \"{}\"", Chain::comment(self.version))?;
            writeln!(
                f,
                "\t\ttype {} hook {} priority {}; policy accept;",
                chain.kind, chain.hook, chain.priority
            )?;
            for rule in chain.rules {
                writeln!(f, "\t\t{rule}")?;
            }
            writeln!(f, "\t}}")?;
        }
        writeln!(f, "}}")
    }
}

impl Display for Set {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let key: Vec<_> = self.key.iter().map(|part| part.text()).collect();
        writeln!(f, "\tset {} {{\n\t\ttype {}", self.name, key.join(" . "))?;
        if self.interval {
            writeln!(f, "\t\tflags interval")?;
        }
        write!(f, "\t}}")
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for condition in self.matches {
            write!(f, "{condition} ")?;
        }
        f.write_str(match self.verdict {
            Verdict::Drop => "drop",
            Verdict::Masquerade => "masquerade",
            Verdict::Return => "return",
        })
    }
}

impl Display for Match {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let concatenated = |fields: &[Field]| {
            let texts: Vec<_> = fields.iter().map(|field| field.text()).collect();
            texts.join(" . ")
        };
        match self {
            Self::Prefix(field, prefix) => write!(f, "{} {}", field.text(), prefix.text),
            Self::In(fields, set) => write!(f, "{} @{set}", concatenated(fields)),
            Self::NotIn(fields, set) => write!(f, "{} != @{set}", concatenated(fields)),
        }
    }
}

impl DataType {
    fn text(self) -> &'static str {
        match self {
            Self::InterfaceName => "ifname",
            Self::Ipv4Address => "ipv4_addr",
            Self::Ipv6Address => "ipv6_addr",
            Self::MacAddress => "ether_addr",
        }
    }

    /// How many bytes it has.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::InterfaceName | Self::Ipv6Address => 16,
            Self::Ipv4Address => 4,
            Self::MacAddress => 6,
        }
    }

    /// How many bytes it takes in a key: parts begin at multiples of four.
    pub(crate) const fn padded_len(self) -> usize {
        self.len().next_multiple_of(4)
    }
}

impl Field {
    fn text(self) -> &'static str {
        match self {
            Self::InputInterface => "iifname",
            Self::Ipv4Source => "ip saddr",
            Self::Ipv4Destination => "ip daddr",
            Self::Ipv6Source => "ip6 saddr",
            Self::Ipv6Destination => "ip6 daddr",
            Self::MacSource => "ether saddr",
        }
    }

    /// What it is.
    pub(crate) const fn data_type(self) -> DataType {
        match self {
            Self::InputInterface => DataType::InterfaceName,
            Self::Ipv4Source | Self::Ipv4Destination => DataType::Ipv4Address,
            Self::Ipv6Source | Self::Ipv6Destination => DataType::Ipv6Address,
            Self::MacSource => DataType::MacAddress,
        }
    }
}

impl Display for ChainKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
        })
    }
}

impl Display for Hook {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prerouting => "prerouting",
            Self::Postrouting => "postrouting",
        })
    }
}

impl Display for Priority {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SourceNat => "srcnat",
            Self::BridgeDestinationNat => "dstnat",
        })
    }
}
