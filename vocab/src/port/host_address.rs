//! At which of the host's addresses a port is published.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Why a text is no address of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid host address {value:?}: expected an IPv4 or IPv6 address, or nothing for all of them")]
pub struct InvalidHostAddress {
    /// The text as it was given.
    pub value: String,
}

/// At which of the host's addresses a port is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum HostAddress {
    /// At all of them.
    #[default]
    Any,
    /// At all IPv4 addresses: `0.0.0.0`.
    AnyV4,
    /// At all IPv6 addresses: `::`.
    AnyV6,
    /// At this one.
    One(IpAddr),
}

impl HostAddress {
    /// Whether IPv4 addresses are among them.
    #[must_use]
    pub const fn has_v4(self) -> bool {
        matches!(self, Self::Any | Self::AnyV4 | Self::One(IpAddr::V4(_)))
    }

    /// Whether IPv6 addresses are among them.
    #[must_use]
    pub const fn has_v6(self) -> bool {
        matches!(self, Self::Any | Self::AnyV6 | Self::One(IpAddr::V6(_)))
    }

    /// The address, if it is a single one.
    #[must_use]
    pub const fn one(self) -> Option<IpAddr> {
        match self {
            Self::One(address) => Some(address),
            _ => None,
        }
    }
}

impl HostAddress {
    /// The address as it is written: `0.0.0.0` and `::` stand for all of a family, nothing for all of both.
    #[must_use]
    pub const fn written(self) -> Option<IpAddr> {
        match self {
            Self::Any => None,
            Self::AnyV4 => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            Self::AnyV6 => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            Self::One(address) => Some(address),
        }
    }
}

impl From<IpAddr> for HostAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) if v4.is_unspecified() => Self::AnyV4,
            IpAddr::V6(v6) if v6.is_unspecified() => Self::AnyV6,
            one => Self::One(one),
        }
    }
}

impl FromStr for HostAddress {
    type Err = InvalidHostAddress;

    /// Reads an address; an IPv6 one may stand in brackets. Nothing at all means every address.
    fn from_str(text: &str) -> Result<Self, InvalidHostAddress> {
        let invalid = || InvalidHostAddress { value: text.to_owned() };
        if text.is_empty() {
            return Ok(Self::Any);
        }
        let inside = text.strip_prefix('[').map(|rest| rest.strip_suffix(']').ok_or_else(invalid));
        let address = match inside.transpose()? {
            Some(v6) => IpAddr::V6(v6.parse().map_err(|_| invalid())?),
            None => text.parse().map_err(|_| invalid())?,
        };
        Ok(address.into())
    }
}

impl fmt::Display for HostAddress {
    /// As it stands before a port: IPv6 in brackets, nothing for every address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::AnyV4 => f.write_str("0.0.0.0"),
            Self::AnyV6 => f.write_str("[::]"),
            Self::One(IpAddr::V4(v4)) => v4.fmt(f),
            Self::One(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["", "0.0.0.0", "[::]", "127.0.0.1", "[fd00::1]"] {
            assert_eq!(text.parse::<HostAddress>().unwrap().to_string(), text);
        }
        assert_eq!("fd00::1".parse::<HostAddress>().unwrap().to_string(), "[fd00::1]");
    }

    #[test]
    fn names_and_broken_addresses_are_refused() {
        for text in ["localhost", "300.0.0.1", "eth0", "[127.0.0.1]", "[::1", "::1]", " ", "1.2.3"] {
            assert!(text.parse::<HostAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_belongs_to_its_family() {
        let families = [
            ("", (true, true)),
            ("0.0.0.0", (true, false)),
            ("::", (false, true)),
            ("10.0.0.1", (true, false)),
            ("fd00::1", (false, true)),
        ];
        for (text, expected) in families {
            let address: HostAddress = text.parse().unwrap();
            assert_eq!((address.has_v4(), address.has_v6()), expected, "{text:?}");
        }
    }
}
