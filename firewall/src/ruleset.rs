//! A ruleset as a value.
//!
//! The words are those of nftables; there are just as many as our tables need. Their [`text`] is what a person reviews
//! and what the golden tests compare with the kernel's own listing, so that the value, the messages made of it and what
//! is really installed cannot drift apart.

mod text;

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
    pub(crate) sets: &'static [&'static Set],
    /// A chain that others jump to comes before them.
    pub(crate) chains: &'static [&'static Chain],
}

/// A set or map: what changes while the rules stay.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// The parts of a key, one after the other.
    pub(crate) key: &'static [DataType],
    /// What a key leads to, part by part; nothing in a set.
    pub(crate) data: &'static [DataType],
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
    Protocol,
    Port,
}

/// Rules in their order.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) name: &'static str,
    /// Where packets come in; nothing for a chain that others jump to.
    pub(crate) base: Option<Base>,
    pub(crate) rules: &'static [Rule],
}

/// Where on its way a packet meets a chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    pub(crate) kind: ChainKind,
    pub(crate) hook: Hook,
    pub(crate) priority: Priority,
}

/// What a chain's rules may do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ChainKind {
    Filter,
    Nat,
}

/// A hook of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    Prerouting,
    Forward,
    Output,
    Postrouting,
}

/// When a packet meets a chain, among the chains of a hook.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Priority {
    /// Before connections are tracked.
    Raw,
    /// Where packets are let through or not.
    Filter,
    /// Where destination addresses are translated (IPv4 and IPv6).
    DestinationNat,
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
    /// The field is something else than this text.
    IsNot(Field, &'static str),
    /// The fields, one after the other, are in the set.
    In(&'static [Field], &'static Set),
    /// They are not.
    NotIn(&'static [Field], &'static Set),
    /// The destination is an address of the host itself.
    ToHost,
    /// The connection is known, or belongs to one that is.
    Established,
    /// The connection's destination was translated, by whomever.
    Redirected,
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
    OutputInterface,
    Ipv4Source,
    Ipv4Destination,
    Ipv6Source,
    Ipv6Destination,
    MacSource,
    Protocol,
    DestinationPort,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    Accept,
    Drop,
    Masquerade,
    Return,
    /// Another chain's rules decide; if none of them does, the next rule here.
    Jump(&'static str),
    /// Its destination becomes the address and port that the fields lead to in the map; if they lead nowhere, the
    /// next rule decides.
    RedirectBy(&'static [Field], &'static Set),
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

impl Set {
    /// Whether its keys lead to something.
    pub(crate) const fn is_map(&self) -> bool {
        !self.data.is_empty()
    }
}

impl DataType {
    /// How many bytes it has.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::InterfaceName | Self::Ipv6Address => 16,
            Self::Ipv4Address => 4,
            Self::MacAddress => 6,
            Self::Protocol => 1,
            Self::Port => 2,
        }
    }

    /// How many bytes it takes in a key: parts begin at multiples of four.
    pub(crate) const fn padded_len(self) -> usize {
        self.len().next_multiple_of(4)
    }
}

impl Field {
    /// What it is.
    pub(crate) const fn data_type(self) -> DataType {
        match self {
            Self::InputInterface | Self::OutputInterface => DataType::InterfaceName,
            Self::Ipv4Source | Self::Ipv4Destination => DataType::Ipv4Address,
            Self::Ipv6Source | Self::Ipv6Destination => DataType::Ipv6Address,
            Self::MacSource => DataType::MacAddress,
            Self::Protocol => DataType::Protocol,
            Self::DestinationPort => DataType::Port,
        }
    }
}
