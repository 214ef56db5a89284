//! The gateways of all ranges, which are known before the first lease.

use cni::StatusCall;
use ipam::RangeSet;
use ipnetwork::IpNetwork;

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn gateways(call: &StatusCall) -> Result<Vec<IpNetwork>, HostLocalError> {
    let Some(ranges) = config::standing_ranges(&call.call.config)? else { return Ok(Vec::new()) };
    let mut gateways: Vec<IpNetwork> = Vec::new();
    for range in ranges.sets().iter().flat_map(RangeSet::ranges) {
        // As a lease answers it: with the prefix of the leased addresses.
        let gateway = IpNetwork::new(range.gateway(), range.subnet().prefix()).ok();
        gateways.extend(gateway.filter(|gateway| !gateways.contains(gateway)));
    }
    Ok(gateways)
}
