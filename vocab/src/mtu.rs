//! The largest packet of a link.

use std::fmt;
use std::str::FromStr;

/// Why a number is no MTU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid mtu {value}: expected {} to {} bytes", Mtu::LEAST, Mtu::MOST)]
pub struct InvalidMtu {
    /// The number as it was given.
    pub value: String,
}

/// The largest packet that a link carries, in bytes, headers of the link not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mtu(u32);

impl Mtu {
    /// What every link must carry (RFC 791, section 3.2; `ETH_MIN_MTU` in `linux/if_ether.h`).
    pub const LEAST: Self = Self(68);
    /// The largest packet that there is (`ETH_MAX_MTU`).
    pub const MOST: Self = Self(65_535);
    /// What every link must carry that carries IPv6 (RFC 8200, section 5).
    pub const IPV6: Self = Self(1280);
    /// What the kernel gives a link of which nothing else is said.
    pub const ETHERNET: Self = Self(1500);

    /// Checks a number of bytes.
    ///
    /// # Errors
    /// [`InvalidMtu`] when no link can have it.
    pub fn new(bytes: u32) -> Result<Self, InvalidMtu> {
        let mtu = Self(bytes);
        let is_one = (Self::LEAST..=Self::MOST).contains(&mtu);
        if is_one { Ok(mtu) } else { Err(InvalidMtu { value: bytes.to_string() }) }
    }

    /// How many bytes it is.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }

    /// Whether a link of it carries IPv6.
    #[must_use]
    pub fn carries_ipv6(self) -> bool {
        self >= Self::IPV6
    }
}

impl FromStr for Mtu {
    type Err = InvalidMtu;

    fn from_str(text: &str) -> Result<Self, InvalidMtu> {
        let bytes = text.parse().map_err(|_| InvalidMtu { value: text.to_owned() })?;
        Self::new(bytes)
    }
}

impl fmt::Display for Mtu {
    /// The number of bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for Mtu {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_link_can_have_is_refused_with_what_one_can() {
        for (bytes, is_one) in [(0, false), (67, false), (68, true), (65_535, true), (65_536, false)] {
            assert_eq!(Mtu::new(bytes).is_ok(), is_one, "{bytes}");
            assert_eq!(bytes.to_string().parse::<Mtu>().is_ok(), is_one, "{bytes}");
        }
        for text in ["-1", "", "1400.0", "1.4k"] {
            let error = text.parse::<Mtu>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid mtu {text}: expected 68 to 65535 bytes"));
        }
    }

    #[test]
    fn ipv6_needs_more() {
        assert!(Mtu::IPV6.carries_ipv6() && !Mtu(1279).carries_ipv6());
    }
}
