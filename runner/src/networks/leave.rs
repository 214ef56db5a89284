//! Leaving a container's networks, when it has ended.

use catalog::Catalog;
use network::Runtime;
use vocab::{ContainerId, NetworkName};

use super::NetworksError;
use crate::{Config, Mode};

/// Takes a container that has ended off every network it is on, those included that `netctl connect` put it on and joins
/// that were killed. It may be on none. Everything is tried; what failed is returned.
#[must_use]
pub fn leave_all(catalog: &Catalog, runtime: &Runtime, config: &Config) -> Vec<NetworksError> {
    let asked: Vec<NetworkName> = match &config.mode {
        Mode::Networks(memberships) => {
            memberships.iter().map(|membership| membership.network.clone()).collect()
        }
        // `netctl connect` refuses the others: they have no namespace of their own.
        Mode::None => Vec::new(),
        Mode::Host | Mode::Container(_) | Mode::Namespace(_) => return Vec::new(),
    };
    let container = match ContainerId::new(config.id.as_str()) {
        Ok(container) => container,
        Err(error) => return vec![error.into()],
    };
    let failed = catalog.leave_ended(runtime, &container, &asked);
    failed.into_iter().map(|source| NetworksError::Leave(Box::new(source))).collect()
}
