//! Which address is next: round robin, so that an address just released is the last to be leased again.

use std::io;
use std::net::IpAddr;

use subnet::{Family, bits};

use crate::range_set::{Lease, RangeSet};

/// Which addresses are taken.
pub(crate) trait Taken {
    /// The first address from `from` to `to`, both included, that is not taken.
    fn first_free(&mut self, family: Family, from: u128, to: u128) -> io::Result<Option<u128>>;
}

impl RangeSet {
    /// The free address that comes after `last` in the order of the ranges, which is a circle. Without
    /// `last`, or with one that is no longer in the set, the circle begins at the first range's start.
    pub(crate) fn next_free(&self, last: Option<IpAddr>, taken: &mut dyn Taken) -> io::Result<Option<Lease>> {
        for (from, to) in self.spans(last) {
            if let Some(address) = self.first_offered(from, to, taken)? {
                return Ok(self.lease(address));
            }
        }
        Ok(None)
    }

    /// The circle, cut open behind `last`, as stretches of addresses.
    fn spans(&self, last: Option<IpAddr>) -> Vec<(u128, u128)> {
        let ranges = self.ranges();
        let cut = last.and_then(|last| {
            let number = ranges.iter().position(|range| range.contains(last))?;
            Some((number, bits(last)))
        });
        let whole = |number: usize| (ranges[number].start, ranges[number].end);
        let Some((number, last)) = cut else { return (0..ranges.len()).map(whole).collect() };
        let (start, end) = whole(number);
        let behind = (last < end).then(|| (last + 1, end));
        let others = (number + 1..ranges.len()).chain(0..number).map(whole);
        behind.into_iter().chain(others).chain([(start, last)]).collect()
    }

    fn first_offered(&self, mut from: u128, to: u128, taken: &mut dyn Taken) -> io::Result<Option<IpAddr>> {
        while let Some(free) = taken.first_free(self.family(), from, to)? {
            let address = self.family().address(free);
            if self.offers(address) {
                return Ok(Some(address));
            }
            if free == to {
                break;
            }
            from = free + 1;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range_set::tests::ranges;
    use std::collections::BTreeSet;

    struct Listed(BTreeSet<u128>);

    impl Taken for Listed {
        fn first_free(&mut self, _: Family, from: u128, to: u128) -> io::Result<Option<u128>> {
            Ok((from..=to).find(|address| !self.0.contains(address)))
        }
    }

    fn next(set: &[&str], last: Option<&str>, taken: &[&str]) -> Option<String> {
        let ranges = ranges(&[set]).unwrap();
        let mut taken = Listed(taken.iter().map(|text| bits(text.parse().unwrap())).collect());
        let last = last.map(|text| text.parse().unwrap());
        let lease = ranges.sets()[0].next_free(last, &mut taken).unwrap();
        lease.map(|lease| lease.address.ip().to_string())
    }

    #[test]
    fn the_first_lease_is_the_first_address_that_is_not_the_gateway() {
        assert_eq!(next(&["10.0.0.0/29"], None, &[]).unwrap(), "10.0.0.2");
        assert_eq!(next(&["10.0.0.0/29"], Some("10.9.9.9"), &[]).unwrap(), "10.0.0.2");
        assert_eq!(next(&["fd00::/64"], None, &["fd00::2"]).unwrap(), "fd00::3");
    }

    #[test]
    fn the_order_goes_on_behind_the_last_lease_and_round() {
        let set = ["10.0.0.0/29", "10.1.0.0/29"];
        assert_eq!(next(&set, Some("10.0.0.5"), &[]).unwrap(), "10.0.0.6");
        assert_eq!(next(&set, Some("10.0.0.6"), &[]).unwrap(), "10.1.0.2");
        assert_eq!(next(&set, Some("10.1.0.6"), &[]).unwrap(), "10.0.0.2");
        assert_eq!(next(&set[..1], Some("10.0.0.4"), &["10.0.0.5", "10.0.0.6"]).unwrap(), "10.0.0.2");
    }

    #[test]
    fn the_last_lease_itself_is_tried_last() {
        let all_but_one = ["10.0.0.2", "10.0.0.3", "10.0.0.5", "10.0.0.6"];
        assert_eq!(next(&["10.0.0.0/29"], Some("10.0.0.4"), &all_but_one).unwrap(), "10.0.0.4");
        assert_eq!(
            next(&["10.0.0.0/29"], Some("10.0.0.4"), &[&all_but_one[..], &["10.0.0.4"]].concat()),
            None
        );
    }

    #[test]
    fn gateways_and_the_addresses_of_the_network_are_passed_over() {
        let podman = ["10.0.0.0/29 10.0.0.5 10.0.0.7 10.0.0.6"];
        assert_eq!(next(&podman, Some("10.0.0.5"), &["10.0.0.5"]), None);
        assert_eq!(next(&["10.0.0.0/29 10.0.0.0 10.0.0.3"], None, &[]).unwrap(), "10.0.0.2");
        let two = ["10.0.0.0/24 10.0.0.5 10.0.0.9 10.0.0.20", "10.0.0.0/24 10.0.0.20 10.0.0.21"];
        assert_eq!(next(&two, Some("10.0.0.9"), &[]).unwrap(), "10.0.0.21");
    }

    #[test]
    fn the_last_address_of_all_ends_the_walk() {
        let end = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:";
        let set = [format!("{end}0/112 {end}fffe {end}ffff")];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        assert_eq!(next(&set, Some(&format!("{end}fffe")), &[]).unwrap(), format!("{end}ffff"));
        assert_eq!(next(&set, Some(&format!("{end}ffff")), &[]).unwrap(), format!("{end}fffe"));
    }
}
