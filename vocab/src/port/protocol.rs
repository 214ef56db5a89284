//! Protocols that have ports.

use std::fmt;
use std::str::FromStr;

/// Why a text names no protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid protocol {value:?}: expected tcp, udp or sctp")]
pub struct InvalidProtocol {
    /// The text as it was given.
    pub value: String,
}

/// A protocol above IP whose packets have ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Protocol {
    /// TCP (RFC 9293), which everybody means who says nothing.
    #[default]
    Tcp,
    /// UDP (RFC 768).
    Udp,
    /// SCTP (RFC 9260).
    Sctp,
}

impl Protocol {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// Its number in the IP header (IANA "Assigned Internet Protocol Numbers").
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The protocol of that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.number() == number)
    }

    /// Its name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl FromStr for Protocol {
    type Err = InvalidProtocol;

    /// Reads a name, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidProtocol> {
        let named = Self::ALL.into_iter().find(|protocol| protocol.as_str().eq_ignore_ascii_case(text));
        named.ok_or_else(|| InvalidProtocol { value: text.to_owned() })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_belong_together() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.as_str().to_uppercase().parse::<Protocol>(), Ok(protocol));
            assert_eq!(Protocol::from_number(protocol.number()), Some(protocol));
        }
        assert_eq!(Protocol::from_number(1), None);
        let error = "icmp".parse::<Protocol>().unwrap_err().to_string();
        assert_eq!(error, "invalid protocol \"icmp\": expected tcp, udp or sctp");
    }
}
