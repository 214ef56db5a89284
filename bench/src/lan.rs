//! A network of a site, whoever makes it.

use std::net::Ipv4Addr;

/// The length of the prefix of every network.
pub const PREFIX: u8 = 16;

/// A network of a site: its names and its subnet, 10.N.0.0/16 for the Nth network of each site.
///
/// All sites share the folders in which leases are kept, so that no two have a name in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lan {
    /// Its name.
    pub name: String,
    /// The name of its bridge.
    pub bridge: String,
    nth: u8,
}

impl Lan {
    /// The nth network of a site.
    #[must_use]
    pub fn new(site: u32, nth: u8) -> Self {
        Self { name: format!("bench-{site:04}-{nth:03}"), bridge: format!("b{site:04}-{nth:03}"), nth }
    }

    /// Its subnet.
    #[must_use]
    pub fn subnet(&self) -> String {
        format!("{}/{PREFIX}", self.address(0))
    }

    /// Its number `host` address; the first is that of the bridge.
    #[must_use]
    pub fn address(&self, host: u16) -> Ipv4Addr {
        let [high, low] = host.to_be_bytes();
        Ipv4Addr::new(10, self.nth, high, low)
    }

    /// A number that no other network has, in 64 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let digits: String = self.name.chars().filter(char::is_ascii_digit).collect();
        format!("{digits:f>64}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_networks_have_nothing_in_common_but_the_length_of_their_names() {
        let (one, other) = (Lan::new(1, 7), Lan::new(12, 100));
        assert_eq!((one.name.len(), one.bridge.len()), (other.name.len(), other.bridge.len()));
        assert_ne!(one.id(), other.id());
        assert_eq!((one.id().len(), other.id().len()), (64, 64));
        assert_eq!(one.subnet(), "10.7.0.0/16");
        assert_eq!(other.address(258).to_string(), "10.100.1.2");
    }
}
