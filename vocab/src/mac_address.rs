//! Link-layer addresses of Ethernet.

use std::fmt;
use std::str::FromStr;

/// Why a text is no MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid MAC address {value:?}: expected six bytes in hexadecimal such as 02:42:ac:11:00:02")]
pub struct InvalidMacAddress {
    /// The text as it was given.
    pub value: String,
}

/// A 48-bit MAC address (EUI-48).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// An address of six given bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// A locally administered unicast address made of `bytes`: the two bits that say so are set as
    /// IEEE 802 wants them, whatever the bytes are.
    #[must_use]
    pub const fn local_unicast(mut bytes: [u8; 6]) -> Self {
        bytes[0] = (bytes[0] & 0xfe) | 0x02;
        Self(bytes)
    }

    /// The six bytes in transmission order.
    #[must_use]
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }

    /// Whether one interface may have it: neither a group address nor all zero.
    #[must_use]
    pub fn is_unicast(self) -> bool {
        self.0[0] & 1 == 0 && self.0 != [0; 6]
    }
}

impl FromStr for MacAddress {
    type Err = InvalidMacAddress;

    /// Reads `aa:bb:cc:dd:ee:ff`, the same with dashes, or `aabb.ccdd.eeff`, in either case.
    fn from_str(text: &str) -> Result<Self, InvalidMacAddress> {
        let invalid = || InvalidMacAddress { value: text.to_owned() };
        let (separator, width) = match text.as_bytes().get(2) {
            Some(b':') => (':', 2),
            Some(b'-') => ('-', 2),
            _ => ('.', 4),
        };
        let mut bytes = [0; 6];
        let mut filled = 0;
        for group in text.split(separator) {
            if group.len() != width || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            for pair in group.as_bytes().chunks(2) {
                let digits = std::str::from_utf8(pair).map_err(|_| invalid())?;
                *bytes.get_mut(filled).ok_or_else(invalid)? =
                    u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
                filled += 1;
            }
        }
        if filled == 6 { Ok(Self(bytes)) } else { Err(invalid()) }
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl serde::Serialize for MacAddress {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for MacAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_usual_spellings_are_read() {
        for text in ["02:42:AC:11:00:02", "02-42-ac-11-00-02", "0242.ac11.0002"] {
            assert_eq!(text.parse::<MacAddress>().unwrap().to_string(), "02:42:ac:11:00:02");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", "02:42", "02:42:ac:11:00:02:03", "02:42:ac:11:00:zz", "+2:42:ac:11:00:02", "024:2:ac"]
        {
            assert!(text.parse::<MacAddress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_made_address_is_local_and_unicast() {
        let mac = MacAddress::local_unicast([0xff; 6]);
        assert_eq!(mac.bytes()[0] & 0b11, 0b10);
        assert!(mac.is_unicast());
    }
}
