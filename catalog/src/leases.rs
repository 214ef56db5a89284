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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sample::{Scratch, catalog, network_of};

    #[test]
    fn what_is_leased_is_counted_for_each_subnet() {
        let scratch = Scratch::new();
        for address in ["10.1.0.2", "10.1.0.3", "fd10::2", "10.9.9.9"] {
            scratch.write(&format!("leases/web/{address}"), "blue\r\neth0");
        }
        let ranges =
            json!([[{"subnet": "10.1.0.0/29"}], [{"subnet": "fd10::/64"}], [{"subnet": "10.2.0.0/24"}]]);
        let data_dir = scratch.path().join("leases");
        let ipam = json!({"type": "host-local", "dataDir": data_dir, "ranges": ranges});
        let network = network_of("web", json!({"type": "bridge", "ipam": ipam}), &[]);
        let filling = catalog(&scratch).filling(&network).unwrap();
        let told: Vec<_> = filling
            .iter()
            .map(|filling| format!("{} {} {}", filling.subnet, filling.leased, filling.available))
            .collect();
        let left = (1_u128 << 64) - 3;
        assert_eq!(told, ["10.1.0.0/29 2 3", &format!("fd10::/64 1 {left}"), "10.2.0.0/24 0 253"]);
    }

    #[test]
    fn what_others_lease_nobody_here_counts() {
        let scratch = Scratch::new();
        let network = network_of("web", json!({"type": "bridge", "ipam": {"type": "dhcp"}}), &[]);
        assert!(catalog(&scratch).filling(&network).unwrap().is_empty());
    }
}
