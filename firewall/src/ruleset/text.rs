//! A ruleset's text, as `nft list` prints it.

use std::fmt::{self, Display, Formatter};

use super::{
    Base, Chain, ChainKind, DataType, Family, Field, Hook, Match, Priority, Rule, Set, Table, Verdict,
};

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
            if let Some(base) = chain.base {
                writeln!(f, "\t\t{base}")?;
            }
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
        let kind = if self.is_map() { "map" } else { "set" };
        write!(f, "\t{kind} {} {{\n\t\ttype {}", self.name, types(self.key))?;
        if self.is_map() {
            write!(f, " : {}", types(self.data))?;
        }
        if self.interval {
            write!(f, "\n\t\tflags interval")?;
        }
        write!(f, "\n\t}}")
    }
}

fn types(parts: &[DataType]) -> String {
    parts.iter().map(|part| part.text()).collect::<Vec<_>>().join(" . ")
}

impl Display for Base {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ChainKind::Filter => "filter",
            ChainKind::Nat => "nat",
        };
        let hook = match self.hook {
            Hook::Prerouting => "prerouting",
            Hook::Forward => "forward",
            Hook::Output => "output",
            Hook::Postrouting => "postrouting",
        };
        let priority = match (self.priority, self.hook) {
            (Priority::Raw, _) => "raw",
            (Priority::Filter, _) => "filter",
            // The name belongs to another hook: nft prints the number at this one.
            (Priority::DestinationNat, Hook::Output) => "-100",
            (Priority::DestinationNat | Priority::BridgeDestinationNat, _) => "dstnat",
            (Priority::SourceNat, _) => "srcnat",
        };
        write!(f, "type {kind} hook {hook} priority {priority}; policy accept;")
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for condition in self.matches {
            write!(f, "{condition} ")?;
        }
        match self.verdict {
            Verdict::Accept => f.write_str("accept"),
            Verdict::Drop => f.write_str("drop"),
            Verdict::Masquerade => f.write_str("masquerade"),
            Verdict::Return => f.write_str("return"),
            Verdict::Jump(chain) => write!(f, "jump {chain}"),
            Verdict::RedirectBy(fields, map) => {
                let family = if map.data.contains(&DataType::Ipv4Address) { "ip" } else { "ip6" };
                write!(f, "dnat {family} to {} map @{}", concatenated(fields), map.name)
            }
        }
    }
}

impl Display for Match {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(field, prefix) => write!(f, "{} {}", field.text(), prefix.text),
            Self::IsNot(field, text) => write!(f, "{} != \"{text}\"", field.text()),
            Self::In(fields, set) => write!(f, "{} @{}", concatenated(fields), set.name),
            Self::NotIn(fields, set) => write!(f, "{} != @{}", concatenated(fields), set.name),
            Self::ToHost => f.write_str("fib daddr type local"),
            Self::Established => f.write_str("ct state established,related"),
            Self::Redirected => f.write_str("ct status dnat"),
        }
    }
}

fn concatenated(fields: &[Field]) -> String {
    fields.iter().map(|field| field.text()).collect::<Vec<_>>().join(" . ")
}

impl DataType {
    fn text(self) -> &'static str {
        match self {
            Self::InterfaceName => "ifname",
            Self::Ipv4Address => "ipv4_addr",
            Self::Ipv6Address => "ipv6_addr",
            Self::MacAddress => "ether_addr",
            Self::Protocol => "inet_proto",
            Self::Port => "inet_service",
        }
    }
}

impl Field {
    fn text(self) -> &'static str {
        match self {
            Self::InputInterface => "iifname",
            Self::OutputInterface => "oifname",
            Self::Ipv4Source => "ip saddr",
            Self::Ipv4Destination => "ip daddr",
            Self::Ipv6Source => "ip6 saddr",
            Self::Ipv6Destination => "ip6 daddr",
            Self::MacSource => "ether saddr",
            Self::Protocol => "meta l4proto",
            Self::DestinationPort => "th dport",
        }
    }
}
