//! One container's place on a network, and the names that follow from it.

use crate::{ContainerId, InterfaceName, MacAddress};

/// A container's interface: what an ADD makes and a DEL of the same two words takes away.
///
/// Everything an attachment leaves on the host is named after it, so that DEL finds it without memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attachment {
    /// The container (`CNI_CONTAINERID`).
    pub container: ContainerId,
    /// Its interface inside the container (`CNI_IFNAME`).
    pub interface: InterfaceName,
}

impl Attachment {
    /// Puts the two words together.
    #[must_use]
    pub fn new(container: ContainerId, interface: InterfaceName) -> Self {
        Self { container, interface }
    }

    /// What stands in for an attachment where both ends of a pair are the host's, as with the interface of a bridge in a
    /// VLAN: names follow from it all the same.
    #[must_use]
    pub fn of_host(interface: InterfaceName) -> Self {
        Self { container: ContainerId::host(), interface }
    }

    /// The name of the host's end of this attachment's veth pair: `veth` and 11 hexadecimal digits.
    ///
    /// `attempt` 0 is the name that is tried first; should another attachment have it already (one in
    /// 2^44), the next attempt has another.
    #[must_use]
    pub fn host_interface(&self, attempt: u8) -> InterfaceName {
        InterfaceName::veth(self.hash(&[b'n', attempt]) >> 20)
    }

    /// A link-layer address for the host's end of this attachment's veth pair.
    #[must_use]
    pub fn host_mac(&self) -> MacAddress {
        self.mac(b"h")
    }

    /// A link-layer address for the container's end, for a container without an IP address to derive one of.
    #[must_use]
    pub fn container_mac(&self) -> MacAddress {
        self.mac(b"c")
    }

    fn mac(&self, purpose: &[u8]) -> MacAddress {
        let [_, _, bytes @ ..] = self.hash(purpose).to_be_bytes();
        MacAddress::local_unicast(bytes)
    }

    /// FNV-1a, 64 bits, finished as SplitMix64 does, so that ids that differ in their last character only
    /// differ in every digit. It must never change: containers outlive the program that named them.
    fn hash(&self, purpose: &[u8]) -> u64 {
        let words =
            [self.container.as_str().as_bytes(), &[0], self.interface.as_str().as_bytes(), &[0], purpose];
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in words.into_iter().flatten() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}

impl std::fmt::Display for Attachment {
    /// `container/interface`, as error texts and comments in the kernel name it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.container, self.interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(container: &str, interface: &str) -> Attachment {
        Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new(interface).unwrap())
    }

    #[test]
    fn names_never_change() {
        let web = attachment("web", "eth0");
        assert_eq!(web.host_interface(0).as_str(), web.host_interface(0).as_str());
        assert_eq!(web.host_interface(0).as_str().len(), 15);
        assert_ne!(web.host_interface(0), web.host_interface(1));
        assert_ne!(web.host_interface(0), attachment("web", "eth1").host_interface(0));
        assert_ne!(attachment("a", "bc").host_interface(0), attachment("ab", "c").host_interface(0));
    }

    #[test]
    fn ten_thousand_containers_have_ten_thousand_names() {
        let names: std::collections::HashSet<_> =
            (0..10_000).map(|n| attachment(&format!("c{n}"), "eth0").host_interface(0)).collect();
        assert_eq!(names.len(), 10_000);
    }
}
