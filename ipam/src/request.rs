//! Addresses that were asked for, each in the set it belongs to.

use std::net::IpAddr;

use crate::range_set::{Lease, Ranges};

/// Why an address cannot be had, whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No range has it.
    #[error("lease requested address {address}: it is in none of the ranges {ranges}")]
    Outside {
        /// The address.
        address: IpAddr,
        /// All ranges.
        ranges: String,
    },
    /// Another address of the same set is asked for, too.
    #[error(
        "lease requested address {address}: {other} is requested from the same range set, which gives one"
    )]
    SecondOfSet {
        /// The address.
        address: IpAddr,
        /// The one that was named before it.
        other: IpAddr,
    },
    /// It is a gateway.
    #[error("lease requested address {address}: it is the gateway")]
    Gateway {
        /// The address.
        address: IpAddr,
    },
    /// It is the address of the subnet itself, or its broadcast address.
    #[error("lease requested address {address}: it is the network's own or its broadcast address")]
    Reserved {
        /// The address.
        address: IpAddr,
    },
}

impl Ranges {
    /// For each set the lease that was asked of it, if any. An address that is named twice counts once.
    ///
    /// # Errors
    /// [`RequestError`] for the first address that cannot be had.
    pub(crate) fn assign(&self, requested: &[IpAddr]) -> Result<Vec<Option<Lease>>, RequestError> {
        let mut assigned: Vec<Option<Lease>> = vec![None; self.sets().len()];
        for address in requested.iter().map(IpAddr::to_canonical) {
            let Some(number) = self.sets().iter().position(|set| set.contains(address)) else {
                return Err(RequestError::Outside { address, ranges: self.list() });
            };
            let set = &self.sets()[number];
            match assigned[number].map(|lease| lease.address.ip()) {
                Some(other) if other != address => return Err(RequestError::SecondOfSet { address, other }),
                _ if set.has_gateway(address) => return Err(RequestError::Gateway { address }),
                _ if !set.offers(address) => return Err(RequestError::Reserved { address }),
                _ => assigned[number] = set.lease(address),
            }
        }
        Ok(assigned)
    }

    fn list(&self) -> String {
        self.sets().iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range_set::tests::ranges;

    fn assign(requested: &[&str]) -> Result<Vec<Option<String>>, String> {
        let ranges = ranges(&[&["10.0.0.0/24 10.0.0.1 10.0.0.255"], &["fd00::/64"]]).unwrap();
        let requested: Vec<IpAddr> = requested.iter().map(|text| text.parse().unwrap()).collect();
        let assigned = ranges.assign(&requested).map_err(|error| error.to_string())?;
        Ok(assigned.into_iter().map(|lease| lease.map(|lease| lease.address.to_string())).collect())
    }

    #[test]
    fn each_address_finds_its_set() {
        assert_eq!(assign(&[]).unwrap(), [None, None]);
        let both = [Some("10.0.0.7/24".to_owned()), Some("fd00::7/64".to_owned())];
        assert_eq!(assign(&["fd00::7", "10.0.0.7", "::ffff:10.0.0.7"]).unwrap(), both);
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        assert!(
            assign(&["10.0.1.7"]).unwrap_err().contains("10.0.1.7: it is in none of the ranges 10.0.0.1-")
        );
        assert!(assign(&["10.0.0.7", "10.0.0.8"]).unwrap_err().contains("10.0.0.8: 10.0.0.7 is requested"));
        assert!(assign(&["10.0.0.1"]).unwrap_err().ends_with("it is the gateway"));
        assert!(assign(&["10.0.0.255"]).unwrap_err().ends_with("broadcast address"));
    }
}
