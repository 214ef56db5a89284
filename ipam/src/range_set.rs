//! Sets of ranges: an attachment has one address of every set.

use std::fmt;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use subnet::Family;

use crate::range::{Range, RangeError, RangeSpec};

/// A leased address with the prefix of its subnet, and the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The address and its prefix.
    pub address: IpNetwork,
    /// The gateway of the range it came from.
    pub gateway: IpAddr,
}

/// Ranges of one family that are used as one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeSet(Vec<Range>);

impl RangeSet {
    /// The ranges, at least one.
    #[must_use]
    pub fn ranges(&self) -> &[Range] {
        &self.0
    }

    /// Whether `address` lies in one of the ranges.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.range_of(address).is_some()
    }

    /// Whether `address` is the gateway of one of the ranges.
    #[must_use]
    pub fn has_gateway(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.gateway() == address)
    }

    /// Whether a container may have `address`.
    pub(crate) fn offers(&self, address: IpAddr) -> bool {
        !self.has_gateway(address) && self.0.iter().all(|range| !range.reserves(address))
    }

    /// The lease that `address` would be, if it lies in the set.
    pub(crate) fn lease(&self, address: IpAddr) -> Option<Lease> {
        let range = self.range_of(address)?;
        let address = IpNetwork::new(address, range.subnet().prefix()).ok()?;
        Some(Lease { address, gateway: range.gateway() })
    }

    pub(crate) fn family(&self) -> Family {
        // A set is never empty; were it, it would contain nothing of either family.
        self.0.first().map_or(Family::V4, Range::family)
    }

    fn new(number: usize, specs: &[RangeSpec]) -> Result<Self, RangeError> {
        let ranges: Vec<Range> = specs.iter().map(Range::new).collect::<Result<_, _>>()?;
        let first = ranges.first().ok_or(RangeError::EmptySet { set: number })?;
        ranges.iter().try_for_each(|range| range.refuse_other_family(first))?;
        Ok(Self(ranges))
    }

    fn range_of(&self, address: IpAddr) -> Option<&Range> {
        self.0.iter().find(|range| range.contains(address))
    }
}

impl fmt::Display for RangeSet {
    /// The ranges with commas between: `10.1.0.1-10.1.0.99,10.1.0.200-10.1.0.254`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, range) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{range}")?;
        }
        Ok(())
    }
}

/// All that a network leases: one set or more, none overlapping with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<RangeSet>);

impl Ranges {
    /// Checks the sets, their ranges, and each against each.
    ///
    /// # Errors
    /// [`RangeError`] with the field, its value and what was expected.
    pub fn new(sets: &[Vec<RangeSpec>]) -> Result<Self, RangeError> {
        if sets.is_empty() {
            return Err(RangeError::NoSets);
        }
        let sets = sets.iter().enumerate().map(|(number, specs)| RangeSet::new(number, specs));
        let sets: Vec<RangeSet> = sets.collect::<Result<_, _>>()?;
        let ranges: Vec<&Range> = sets.iter().flat_map(RangeSet::ranges).collect();
        for (number, range) in ranges.iter().enumerate() {
            ranges[..number].iter().try_for_each(|earlier| range.refuse_overlap(earlier))?;
        }
        Ok(Self(sets))
    }

    /// The sets, at least one; their order is that of the leases.
    #[must_use]
    pub fn sets(&self) -> &[RangeSet] {
        &self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::range::Place;

    /// Ranges of texts such as `10.0.0.0/24` or `10.0.0.0/24 10.0.0.5 10.0.0.9 10.0.0.1`.
    pub(crate) fn ranges(sets: &[&[&str]]) -> Result<Ranges, RangeError> {
        let spec = |set, range, text: &str| {
            let mut words = text.split(' ');
            RangeSpec {
                place: Place::listed("ipam.ranges", set, range),
                subnet: words.next().unwrap().parse().unwrap(),
                range_start: words.next().map(|word| word.parse().unwrap()),
                range_end: words.next().map(|word| word.parse().unwrap()),
                gateway: words.next().map(|word| word.parse().unwrap()),
            }
        };
        let specs = sets.iter().enumerate().map(|(set, texts)| {
            texts.iter().enumerate().map(|(range, text)| spec(set, range, text)).collect()
        });
        Ranges::new(&specs.collect::<Vec<_>>())
    }

    #[test]
    fn sets_of_both_families_stand_side_by_side() {
        let ranges = ranges(&[&["10.0.0.0/24"], &["fd00::/64"]]).unwrap();
        assert_eq!(ranges.sets()[0].to_string(), "10.0.0.1-10.0.0.254");
        assert!(ranges.sets()[1].contains("fd00::ffff".parse().unwrap()));
    }

    #[test]
    fn a_set_of_both_families_is_refused() {
        let error = ranges(&[&["10.0.0.0/24", "fd00::/64"]]).unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid ipam.ranges[0][1].subnet fd00::/64: expected the family of 10.0.0.0/24, one family a set"
        );
    }

    #[test]
    fn an_overlap_is_refused_inside_a_set_and_across_sets() {
        let inside = ranges(&[&["10.0.0.0/29", "10.0.0.0/28"]]).unwrap_err().to_string();
        assert_eq!(
            inside,
            "invalid range ipam.ranges[0][1] (10.0.0.1-10.0.0.14): it overlaps with ipam.ranges[0][0] (10.0.0.1-10.0.0.6)"
        );
        let across = ranges(&[&["10.0.0.0/29"], &["fd00::/64"], &["10.0.0.0/28"]]).unwrap_err().to_string();
        assert!(across.contains("ipam.ranges[2][0]") && across.contains("ipam.ranges[0][0]"), "{across}");
    }

    #[test]
    fn parts_of_one_subnet_do_not_overlap() {
        let halves = ["10.0.0.0/24 10.0.0.1 10.0.0.99", "10.0.0.0/24 10.0.0.100 10.0.0.254"];
        assert!(ranges(&[&halves]).is_ok());
        assert!(ranges(&[&halves[..1], &halves[1..]]).is_ok());
    }

    #[test]
    fn nothing_is_no_range() {
        assert_eq!(ranges(&[]).unwrap_err(), RangeError::NoSets);
        assert_eq!(ranges(&[&["10.0.0.0/24"], &[]]).unwrap_err(), RangeError::EmptySet { set: 1 });
    }

    #[test]
    fn a_lease_has_the_prefix_and_the_gateway_of_its_range() {
        let ranges = ranges(&[&["10.0.0.0/24", "10.1.0.0/16 10.1.0.5 10.1.0.9 10.1.255.254"]]).unwrap();
        let lease = ranges.sets()[0].lease("10.1.0.7".parse().unwrap()).unwrap();
        assert_eq!(
            (lease.address.to_string(), lease.gateway.to_string()),
            ("10.1.0.7/16".into(), "10.1.255.254".into())
        );
        assert_eq!(ranges.sets()[0].lease("10.1.0.10".parse().unwrap()), None);
    }
}
