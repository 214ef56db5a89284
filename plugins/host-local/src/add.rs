//! ADD: an address of every range set.

use std::path::Path;

use cni::{AddCall, Dns, Ip, Success};
use ipam::Lease;

use crate::config;
use crate::error::HostLocalError;
use crate::resolv_conf;

pub(crate) fn add(add: &AddCall, run_dir: &Path) -> Result<Success, HostLocalError> {
    let settings = config::read(&add.call)?;
    let store = config::store(&add.call.config, run_dir)?;
    let dns = settings.resolv_conf.as_deref().map_or_else(|| Ok(Dns::default()), resolv_conf::read)?;
    let leases = store.allocate(&settings.ranges, &add.attachment, &settings.requested);
    let leases = leases.map_err(HostLocalError::Lease)?;
    let ips = leases.into_iter().map(|Lease { address, gateway }| Ip {
        address,
        gateway: Some(gateway),
        interface: None,
    });
    Ok(Success { ips: ips.collect(), routes: settings.routes, dns, ..Success::default() })
}
