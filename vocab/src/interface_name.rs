//! Names of network interfaces.

use crate::text_value;

/// The most bytes an interface name has: `IFNAMSIZ` less its terminating zero (`linux/if.h`).
const MAX_LEN: usize = 15;

/// Why a text is no interface name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid interface name {value:?}: {reason}")]
pub struct InvalidInterfaceName {
    /// The text as it was given.
    pub value: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

/// The name of a network interface as the kernel accepts it (`dev_valid_name` in `net/core/dev.c`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidInterfaceName`] when the kernel would refuse it: empty, over 15 bytes, `.` or `..`, or
    /// with a slash, a colon or white space in it.
    pub fn new(text: &str) -> Result<Self, InvalidInterfaceName> {
        let reason = match text {
            "" => "it is empty",
            "." | ".." => "'.' and '..' are no names",
            _ if text.len() > MAX_LEN => "expected at most 15 bytes",
            _ if text.chars().any(|c| c == '/' || c == ':' || c.is_whitespace() || c.is_control()) => {
                "expected no slash, colon, white space or control character"
            }
            _ => return Ok(Self(text.to_owned())),
        };
        Err(InvalidInterfaceName { value: text.to_owned(), reason })
    }

    /// The loopback interface, which every namespace has.
    #[must_use]
    pub fn loopback() -> Self {
        Self("lo".to_owned())
    }

    /// `veth` and the last eleven hexadecimal digits of `number`: always a name.
    pub(crate) fn veth(number: u64) -> Self {
        Self(format!("veth{:011x}", number & 0xfff_ffff_ffff))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_value!(InterfaceName, InvalidInterfaceName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_accepts_is_a_name() {
        for text in ["lo", "eth0", "cni-podman0", "a.100", "123456789012345"] {
            assert_eq!(InterfaceName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_refused_here_with_the_reason() {
        for text in ["", ".", "..", "1234567890123456", "a/b", "a:b", "a b", "a\tb", "a\0"] {
            let error = InterfaceName::new(text).unwrap_err();
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
