//! CHECK: the attachment still has what ADD leased to it.

use std::path::Path;

use cni::CheckCall;
use ipam::Ranges;

use crate::config;
use crate::error::HostLocalError;

pub(crate) fn check(check: &CheckCall, run_dir: &Path) -> Result<(), HostLocalError> {
    let config = &check.call.config;
    let settings = config::read(&check.call)?;
    let held = config::store(config, run_dir)?.find(&check.attachment)?;
    let (network, owner) = (config.name(), &check.attachment);
    if held.is_empty() {
        return Err(HostLocalError::NoLease { network: network.clone(), owner: owner.clone() });
    }
    let answered = config.prev_result()?.unwrap_or_default().ips.into_iter().map(|ip| ip.address.ip());
    // Other plugins of the chain may have added addresses of their own.
    let mut ours = answered.filter(|address| is_ours(&settings.ranges, *address));
    match ours.find(|address| !held.contains(address)) {
        Some(address) => {
            Err(HostLocalError::NotLeased { network: network.clone(), owner: owner.clone(), address })
        }
        None => Ok(()),
    }
}

fn is_ours(ranges: &Ranges, address: std::net::IpAddr) -> bool {
    ranges.sets().iter().any(|set| set.contains(address))
}
