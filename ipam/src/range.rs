//! One range of addresses: a subnet, and the part of it that may be leased.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use subnet::{Family, bits};

/// Where in a configuration a range stands, so that an error can name the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    list: &'static str,
    // Two numbers of 32 bits keep every error below the 128 bytes that a result should move.
    index: Option<(u32, u32)>,
}

impl Place {
    /// The range is the object `object` itself: `ipam`.
    #[must_use]
    pub const fn object(object: &'static str) -> Self {
        Self { list: object, index: None }
    }

    /// The range is an element of a list of lists: `ipam.ranges[set][range]`.
    #[must_use]
    pub const fn listed(list: &'static str, set: usize, range: usize) -> Self {
        Self { list, index: Some((set as u32, range as u32)) }
    }

    const fn field(self, key: &'static str) -> Field {
        Field { place: self, key }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some((set, range)) => write!(f, "{}[{set}][{range}]", self.list),
            None => f.write_str(self.list),
        }
    }
}

/// A field of a range in a configuration: `ipam.ranges[0][1].rangeStart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    place: Place,
    key: &'static str,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.place, self.key)
    }
}

/// A range as a configuration gives it; what is absent has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSpec {
    /// Where it stands.
    pub place: Place,
    /// The network's address and prefix, without host bits.
    pub subnet: IpNetwork,
    /// The first address to lease; by default the first of the subnet.
    pub range_start: Option<IpAddr>,
    /// The last address to lease; by default the last of the subnet, in IPv4 the one before the broadcast
    /// address.
    pub range_end: Option<IpAddr>,
    /// The gateway; by default the first address of the subnet. It may stand outside the subnet.
    pub gateway: Option<IpAddr>,
}

/// Why ranges cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// There is no range at all.
    #[error("invalid ranges: expected at least one range set")]
    NoSets,
    /// A set without ranges.
    #[error("invalid range set {set}: expected at least one range")]
    EmptySet {
        /// The number of the set, the first being 0.
        set: usize,
    },
    /// An IPv4 subnet written as an IPv6 one.
    #[error("invalid {field} {value}: expected an IPv4 subnet in dotted form")]
    MappedSubnet {
        /// The field.
        field: Field,
        /// Its value.
        value: IpNetwork,
    },
    /// The subnet has bits set beyond its prefix.
    #[error("invalid {field} {value}: it has host bits set: expected {expected}")]
    HostBits {
        /// The field.
        field: Field,
        /// Its value.
        value: IpNetwork,
        /// The network that it lies in.
        expected: IpNetwork,
    },
    /// The subnet has no room for a gateway and a container.
    #[error("invalid {field} {value}: expected a prefix of at most {longest} bits")]
    TooSmall {
        /// The field.
        field: Field,
        /// Its value.
        value: IpNetwork,
        /// The longest prefix that leaves room.
        longest: u8,
    },
    /// An end of the range is not in the subnet.
    #[error("invalid {field} {value}: expected an address in {subnet}")]
    OutsideSubnet {
        /// The field.
        field: Field,
        /// Its value.
        value: IpAddr,
        /// The subnet.
        subnet: IpNetwork,
    },
    /// The range ends before it begins.
    #[error("invalid {field} {value}: expected an address from {start} on")]
    Reversed {
        /// The field that names the end.
        field: Field,
        /// The end.
        value: IpAddr,
        /// The start.
        start: IpAddr,
    },
    /// A set has ranges of both families.
    #[error("invalid {field} {value}: expected the family of {first}, one family a set")]
    MixedFamilies {
        /// The field.
        field: Field,
        /// Its value.
        value: IpNetwork,
        /// The set's first subnet.
        first: IpNetwork,
    },
    /// Two ranges have addresses in common.
    #[error("invalid range {place} ({range}): it overlaps with {other_place} ({other})")]
    Overlap {
        /// Where the one stands.
        place: Place,
        /// Its first and last address.
        range: String,
        /// Where the other stands.
        other_place: Place,
        /// Its first and last address.
        other: String,
    },
}

/// A range that can be leased from: every absent field filled in, every field consistent with the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    place: Place,
    subnet: IpNetwork,
    gateway: IpAddr,
    pub(crate) start: u128,
    pub(crate) end: u128,
}

impl Range {
    /// Fills in and checks `spec`, with the reference's defaults and limits.
    ///
    /// # Errors
    /// [`RangeError`] with the field, its value and what was expected.
    pub fn new(spec: &RangeSpec) -> Result<Self, RangeError> {
        let RangeSpec { place, subnet, .. } = *spec;
        check_subnet(place.field("subnet"), subnet)?;
        let family = Family::of(subnet.ip());
        let (first, last) = subnet::hosts(subnet);
        let start = inside(place.field("rangeStart"), subnet, spec.range_start)?.unwrap_or(bits(first));
        let end = inside(place.field("rangeEnd"), subnet, spec.range_end)?.unwrap_or(bits(last));
        if end < start {
            let (value, start) = (family.address(end), family.address(start));
            return Err(RangeError::Reversed { field: place.field("rangeEnd"), value, start });
        }
        let gateway = spec.gateway.map_or(first, |gateway| gateway.to_canonical());
        Ok(Self { place, subnet, gateway, start, end })
    }

    /// The subnet, whose prefix the leased addresses have.
    #[must_use]
    pub fn subnet(&self) -> IpNetwork {
        self.subnet
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> IpAddr {
        self.gateway
    }

    /// Whether `address` lies between the first and the last address of the range, both included.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Family::of(address) == self.family() && (self.start..=self.end).contains(&bits(address))
    }

    /// Whether `address` is the subnet's own (in IPv6: of all its routers) or its broadcast address.
    /// The reference leases them when a range names them as its end, and podman does name the broadcast address;
    /// no container can use one.
    #[must_use]
    pub fn reserves(&self, address: IpAddr) -> bool {
        address == self.subnet.network() || (address.is_ipv4() && address == self.subnet.broadcast())
    }

    pub(crate) fn family(&self) -> Family {
        Family::of(self.subnet.ip())
    }

    pub(crate) fn refuse_overlap(&self, earlier: &Self) -> Result<(), RangeError> {
        let apart = self.family() != earlier.family() || self.end < earlier.start || earlier.end < self.start;
        if apart {
            return Ok(());
        }
        let (range, other) = (self.to_string(), earlier.to_string());
        Err(RangeError::Overlap { place: self.place, range, other_place: earlier.place, other })
    }

    pub(crate) fn refuse_other_family(&self, first: &Self) -> Result<(), RangeError> {
        if self.family() == first.family() {
            return Ok(());
        }
        let field = self.place.field("subnet");
        Err(RangeError::MixedFamilies { field, value: self.subnet, first: first.subnet })
    }
}

impl fmt::Display for Range {
    /// The first and the last address: `10.1.0.1-10.1.0.254`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.family().address(self.start), self.family().address(self.end))
    }
}

fn check_subnet(field: Field, value: IpNetwork) -> Result<(), RangeError> {
    if matches!(value.ip(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()) {
        return Err(RangeError::MappedSubnet { field, value });
    }
    let longest = Family::of_network(value).longest_prefix();
    if value.prefix() > longest {
        return Err(RangeError::TooSmall { field, value, longest });
    }
    let expected = subnet::of(value);
    if expected == value { Ok(()) } else { Err(RangeError::HostBits { field, value, expected }) }
}

fn inside(field: Field, subnet: IpNetwork, value: Option<IpAddr>) -> Result<Option<u128>, RangeError> {
    match value.map(|value| value.to_canonical()) {
        Some(value) if !subnet.contains(value) => Err(RangeError::OutsideSubnet { field, value, subnet }),
        value => Ok(value.map(bits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(subnet: &str, start: Option<&str>, end: Option<&str>) -> RangeSpec {
        RangeSpec {
            place: Place::listed("ipam.ranges", 0, 1),
            subnet: subnet.parse().unwrap(),
            range_start: start.map(|text| text.parse().unwrap()),
            range_end: end.map(|text| text.parse().unwrap()),
            gateway: None,
        }
    }

    fn error(subnet: &str, start: Option<&str>, end: Option<&str>) -> String {
        Range::new(&spec(subnet, start, end)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_absent_has_the_defaults_of_the_reference() {
        let v4 = Range::new(&spec("10.9.0.0/29", None, None)).unwrap();
        assert_eq!(
            (v4.to_string(), v4.gateway().to_string()),
            ("10.9.0.1-10.9.0.6".into(), "10.9.0.1".into())
        );
        let v6 = Range::new(&spec("fd00::/126", None, None)).unwrap();
        assert_eq!((v6.to_string(), v6.gateway().to_string()), ("fd00::1-fd00::3".into(), "fd00::1".into()));
        let all = Range::new(&spec("::/0", None, None)).unwrap();
        assert_eq!(all.to_string(), "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    }

    #[test]
    fn an_end_may_be_the_broadcast_address_and_the_gateway_anywhere() {
        let mut podman = spec("10.91.0.0/24", Some("10.91.0.129"), Some("10.91.0.255"));
        podman.gateway = Some("10.90.0.1".parse().unwrap());
        let range = Range::new(&podman).unwrap();
        assert_eq!(range.to_string(), "10.91.0.129-10.91.0.255");
        assert!(range.reserves("10.91.0.255".parse().unwrap()));
        assert_eq!(range.gateway().to_string(), "10.90.0.1");
    }

    #[test]
    fn an_ipv4_address_may_be_written_as_an_ipv6_one_but_a_subnet_may_not() {
        let range = Range::new(&spec("10.9.0.0/29", Some("::ffff:10.9.0.3"), None)).unwrap();
        assert_eq!(range.to_string(), "10.9.0.3-10.9.0.6");
        let text = error("::ffff:10.9.0.0/120", None, None);
        assert!(text.ends_with("expected an IPv4 subnet in dotted form"), "{text}");
    }

    #[test]
    fn an_error_names_the_field_the_value_and_what_was_expected() {
        assert_eq!(
            error("10.9.0.1/29", None, None),
            "invalid ipam.ranges[0][1].subnet 10.9.0.1/29: it has host bits set: expected 10.9.0.0/29"
        );
        for (subnet, longest) in
            [("10.9.0.0/31", 30), ("10.9.0.0/32", 30), ("fd00::/127", 126), ("fd00::/128", 126)]
        {
            assert_eq!(
                error(subnet, None, None),
                format!(
                    "invalid ipam.ranges[0][1].subnet {subnet}: expected a prefix of at most {longest} bits"
                )
            );
        }
        assert_eq!(
            error("10.9.0.0/29", Some("10.9.0.8"), None),
            "invalid ipam.ranges[0][1].rangeStart 10.9.0.8: expected an address in 10.9.0.0/29"
        );
        assert_eq!(
            error("10.9.0.0/29", None, Some("fd00::1")),
            "invalid ipam.ranges[0][1].rangeEnd fd00::1: expected an address in 10.9.0.0/29"
        );
        assert_eq!(
            error("10.9.0.0/29", Some("10.9.0.5"), Some("10.9.0.3")),
            "invalid ipam.ranges[0][1].rangeEnd 10.9.0.3: expected an address from 10.9.0.5 on"
        );
        assert!(error("10.9.0.0/29", Some("10.9.0.7"), None).contains("rangeEnd 10.9.0.6"));
    }

    #[test]
    fn a_range_at_the_top_of_the_object_is_named_by_its_key_only() {
        let mut top = spec("10.9.0.0/31", None, None);
        top.place = Place::object("ipam");
        assert!(Range::new(&top).unwrap_err().to_string().starts_with("invalid ipam.subnet 10.9.0.0/31"));
    }
}
