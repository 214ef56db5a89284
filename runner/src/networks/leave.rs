//! Leaving a container's networks, when it has ended.

use catalog::{Catalog, LeaveError, Sandbox};
use network::Runtime;
use vocab::{Attachment, ContainerId};

use super::NetworksError;
use crate::{Attached, Config, Mode};

/// Takes the container off the networks that are known. Everything is tried; what failed is returned.
#[must_use]
pub fn leave_all(
    catalog: &Catalog,
    runtime: &Runtime,
    config: &Config,
    attached: &[Attached],
) -> Vec<NetworksError> {
    let leave = |attached: &Attached| {
        let container = ContainerId::new(config.id.as_str())?;
        let attachment = Attachment::new(container, attached.interface.clone());
        catalog.leave_ended(runtime, &attached.network, &attachment).map_err(|source| NetworksError::Leave {
            network: attached.network.clone(),
            source: Box::new(source),
        })
    };
    // The last that was joined is left first.
    attached.iter().rev().filter_map(|attached| leave(attached).err()).collect()
}

/// Takes the container off whatever networks it may be on: nobody knows any more, for its monitor was killed.
#[must_use]
pub fn leave_whatever(
    catalog: &Catalog,
    runtime: &Runtime,
    config: &Config,
    attached: &[Attached],
) -> Vec<NetworksError> {
    let mut networks: Vec<_> = attached.iter().map(|attached| attached.network.clone()).collect();
    if let Mode::Networks(memberships) = &config.mode {
        networks.extend(memberships.iter().map(|membership| membership.network.clone()));
    }
    networks.sort();
    networks.dedup();
    let leave = |name: &vocab::NetworkName| {
        let sandbox = Sandbox { container: ContainerId::new(config.id.as_str())?, netns: None };
        let network = match catalog.find(name.as_str()) {
            // Whoever removed it took its containers off it.
            Err(catalog::CatalogError::NotFound { .. }) => return Ok(()),
            found => found?,
        };
        match catalog.leave(runtime, &network, &sandbox, None) {
            Ok(_) | Err(LeaveError::NotThere { .. }) => Ok(()),
            Err(source) => {
                Err(NetworksError::Leave { network: network.name().clone(), source: Box::new(source) })
            }
        }
    };
    networks.iter().filter_map(|name| leave(name).err()).collect()
}
