//! Addresses as the protocol writes them.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Deserializer, de};

/// An address with the length of its prefix, host bits kept: `10.22.0.5/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(pub IpNetwork);

impl std::str::FromStr for Cidr {
    type Err = String;

    /// Reads `address/length`; a bare address, or one with a mask in dotted form, is none.
    fn from_str(text: &str) -> Result<Self, String> {
        subnet::parse(text).map(Self).ok_or_else(|| {
            format!("invalid network {text:?}: expected an address and a prefix length such as 10.22.0.0/16")
        })
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An address that may be missing; the reference reads an empty text as none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OptionalIp(pub Option<IpAddr>);

impl<'de> Deserialize<'de> for OptionalIp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self(None));
        }
        let parsed = text.parse().map(Some).map(Self);
        parsed.map_err(|_| de::Error::custom(format!("invalid IP address {text:?}")))
    }
}
