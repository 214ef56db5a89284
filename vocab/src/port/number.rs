//! Numbers of ports.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// Why a text or number is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid port {value:?}: expected a number from 1 to 65535")]
pub struct InvalidPort {
    /// The value as it was given.
    pub value: String,
}

/// The number of a port: 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

impl Port {
    /// The port of that number, if it is one.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The port so many numbers further on.
    #[must_use]
    pub const fn checked_add(self, numbers: u16) -> Option<Self> {
        match self.0.checked_add(numbers) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl TryFrom<i64> for Port {
    type Error = InvalidPort;

    fn try_from(number: i64) -> Result<Self, InvalidPort> {
        let port = u16::try_from(number).ok().and_then(Self::new);
        port.ok_or_else(|| InvalidPort { value: number.to_string() })
    }
}

impl FromStr for Port {
    type Err = InvalidPort;

    /// Reads decimal digits and nothing else.
    fn from_str(text: &str) -> Result<Self, InvalidPort> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        number.and_then(Self::new).ok_or_else(|| InvalidPort { value: text.to_owned() })
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        for (text, number) in [("1", 1), ("80", 80), ("00080", 80), ("65535", 65535)] {
            assert_eq!(text.parse::<Port>().unwrap().get(), number);
        }
        for text in ["", "0", "65536", "-1", "+80", "80 ", "0x50", "８０", "80/tcp"] {
            assert_eq!(text.parse::<Port>(), Err(InvalidPort { value: text.to_owned() }));
        }
    }

    #[test]
    fn a_number_of_any_size_is_a_port_or_an_error_that_names_it() {
        assert_eq!(Port::try_from(443), Ok(Port::new(443).unwrap()));
        for number in [0, -1, 65_536, i64::MAX] {
            assert_eq!(Port::try_from(number).unwrap_err().value, number.to_string());
        }
    }
}
