//! Ports with neighbouring numbers.

use std::fmt;
use std::str::FromStr;

use super::{InvalidPort, Port};

/// Why a text is no range of ports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPortRange {
    /// One of its ends is no port.
    #[error(transparent)]
    Port(#[from] InvalidPort),
    /// It ends before it begins.
    #[error("invalid range of ports \"{first}-{last}\": expected the lower number first")]
    Backwards {
        /// The first number.
        first: Port,
        /// The last number.
        last: Port,
    },
}

/// Ports with neighbouring numbers, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: Port,
    last: Port,
}

impl PortRange {
    /// The ports from `first` to `last`, both included.
    ///
    /// # Errors
    /// [`InvalidPortRange::Backwards`].
    pub fn new(first: Port, last: Port) -> Result<Self, InvalidPortRange> {
        if first <= last {
            Ok(Self { first, last })
        } else {
            Err(InvalidPortRange::Backwards { first, last })
        }
    }

    /// The lowest of them.
    #[must_use]
    pub const fn first(self) -> Port {
        self.first
    }

    /// The highest of them.
    #[must_use]
    pub const fn last(self) -> Port {
        self.last
    }

    /// How many they are: 1 to 65535.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.last.get() - self.first.get()) + 1
    }

    /// Each of them, lowest first.
    pub fn ports(self) -> impl Iterator<Item = Port> {
        (self.first.get()..=self.last.get()).filter_map(Port::new)
    }
}

impl From<Port> for PortRange {
    fn from(port: Port) -> Self {
        Self { first: port, last: port }
    }
}

impl FromStr for PortRange {
    type Err = InvalidPortRange;

    /// Reads `80` or `80-90`.
    fn from_str(text: &str) -> Result<Self, InvalidPortRange> {
        match text.split_once('-') {
            None => Ok(text.parse::<Port>()?.into()),
            Some((first, last)) => Self::new(first.parse()?, last.parse()?),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => self.first.fmt(f),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_both_of_its_ends() {
        let range: PortRange = "80-83".parse().unwrap();
        assert_eq!((range.count(), range.to_string()), (4, "80-83".to_owned()));
        assert_eq!(range.ports().map(Port::get).collect::<Vec<_>>(), [80, 81, 82, 83]);
        assert_eq!("80-80".parse::<PortRange>().unwrap().to_string(), "80");
        let all: PortRange = "1-65535".parse().unwrap();
        assert_eq!((all.count(), all.ports().count()), (65_535, 65_535));
    }

    #[test]
    fn a_broken_range_is_named() {
        let error = |text: &str| text.parse::<PortRange>().unwrap_err().to_string();
        assert_eq!(error("10-5"), "invalid range of ports \"10-5\": expected the lower number first");
        assert_eq!(error("1-x"), "invalid port \"x\": expected a number from 1 to 65535");
        for text in ["", "-", "1-", "-1", "1-2-3", "0-5", "5-70000"] {
            assert!(text.parse::<PortRange>().is_err(), "{text:?}");
        }
    }
}
