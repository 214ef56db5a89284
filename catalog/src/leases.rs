//! How full a network is: what host-local has leased of each subnet.

use std::net::IpAddr;
use std::path::Path;

use ipam::{DEFAULT_DATA_DIR, Store, StoreError};
use ipnetwork::IpNetwork;

use crate::catalog::{Catalog, Network};

/// How much of a subnet is leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filling {
    /// The subnet.
    pub subnet: IpNetwork,
    /// How many of its addresses containers have.
    pub leased: u64,
    /// How many containers could still have one.
    pub available: u128,
}

impl Catalog {
    /// How full each subnet is; nothing for a network whose addresses somebody else leases.
    ///
    /// # Errors
    /// When the leases cannot be read.
    pub fn filling(&self, network: &Network) -> Result<Vec<Filling>, StoreError> {
        if network.view.ipam.as_deref() != Some("host-local") {
            return Ok(Vec::new());
        }
        let data_dir = network.view.data_dir.as_deref().unwrap_or(Path::new(DEFAULT_DATA_DIR));
        let store = Store::new(data_dir, network.name(), &self.places().run_dir);
        let survey = store.survey()?;
        let addresses: Vec<IpAddr> = survey.leases.iter().map(|lease| lease.address).collect();
        let filling = |subnet: &crate::view::Subnet| {
            let leased = addresses.iter().filter(|address| subnet.subnet.contains(**address)).count() as u64;
            let available = subnet.room().saturating_sub(u128::from(leased));
            Filling { subnet: subnet.subnet, leased, available }
        };
        Ok(network.view.subnets.iter().map(filling).collect())
    }
}
