//! Where a bus listens (D-Bus specification, "Server Addresses").

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::Error;

const VARIABLE: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// The same place, of old.
const DEFAULTS: [&str; 2] = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"];

/// Where a bus listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// At a socket in the file system.
    Path(PathBuf),
    /// At a name of the network namespace.
    Abstract(Vec<u8>),
}

/// Why a text is no address that this program can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid bus address {value:?}: expected unix:path=PATH or unix:abstract=NAME")]
pub struct InvalidAddress {
    /// The text as it was given.
    pub value: OsString,
}

impl Address {
    /// Where the system's bus may be, the best guess first.
    pub(crate) fn of_system_bus() -> Result<Vec<Self>, Error> {
        match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            Some(value) => Self::parse_list(&value).map_err(|source| Error::Address { source }),
            None => Ok(DEFAULTS.iter().map(|path| Self::Path(path.into())).collect()),
        }
    }

    /// Reads addresses that are separated by semicolons. Those of other kinds (`tcp:`) are passed over, as long as
    /// there is one that can be used.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse_list(value: &OsStr) -> Result<Vec<Self>, InvalidAddress> {
        let addresses: Vec<_> =
            value.as_bytes().split(|byte| *byte == b';').filter_map(Self::parse).collect();
        match addresses.is_empty() {
            false => Ok(addresses),
            true => Err(InvalidAddress { value: value.to_owned() }),
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let pairs = text.strip_prefix(b"unix:")?.split(|byte| *byte == b',');
        pairs
            .filter_map(|pair| {
                let (key, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
                let value = unescape(value.get(1..)?).filter(|value| !value.is_empty())?;
                match key {
                    b"path" => Some(Self::Path(OsString::from_vec(value).into())),
                    b"abstract" => Some(Self::Abstract(value)),
                    _ => None,
                }
            })
            .next()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
        }
    }
}

/// `%` and two hexadecimal digits are a byte.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = behind.get(2..)?;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Vec<Address>> {
        Address::parse_list(OsStr::new(text)).ok()
    }

    #[test]
    fn addresses_are_read_as_dbus_writes_them() {
        let path = |path: &str| Address::Path(path.into());
        assert_eq!(parse("unix:path=/run/bus"), Some(vec![path("/run/bus")]));
        assert_eq!(parse("unix:guid=0123,path=/run/a%20b"), Some(vec![path("/run/a b")]));
        let several = "tcp:host=localhost,port=1;unix:abstract=/tmp/x;unix:path=/run/bus";
        let expected = vec![Address::Abstract(b"/tmp/x".to_vec()), path("/run/bus")];
        assert_eq!(parse(several), Some(expected));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "/run/bus",
            "tcp:host=localhost,port=1",
            "unix:path=",
            "unix:path=%4",
            "unix:path=%zz",
            "unix:path",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        let error = Address::parse_list(OsStr::new("tcp:x")).unwrap_err().to_string();
        assert_eq!(error, "invalid bus address \"tcp:x\": expected unix:path=PATH or unix:abstract=NAME");
    }
}
