//! Taking a container that has ended off all of its networks.
//!
//! What is kept with an attachment says how it is taken away. So neither the network's file nor daemon.json need be there
//! or right any more, and whoever connected the container, be it somebody else, is undone as well. Others' files are not
//! read: ending a container costs the same among few and among many.

use network::{CacheError, Entry, List, Request, Runtime};
use vocab::{Attachment, ContainerId, NetworkName};

use crate::builtin::BRIDGE;
use crate::catalog::{Catalog, CatalogError, Network, Origin};
use crate::forget::ForgetError;
use crate::join::leaving;
use crate::leave::LeaveError;
use crate::target::Sandbox;

impl Catalog {
    /// Takes a container that has ended, and nobody joins any more, off every network, joins that were killed included. It
    /// may be on none. Everything is tried; what failed is returned.
    ///
    /// `asked` are the networks that it was to join: of those, `bridge` ends with its last container, also when whoever
    /// took that away was killed before.
    #[must_use = "what is left of it is in somebody's way"]
    pub fn leave_ended(
        &self,
        runtime: &Runtime,
        container: &ContainerId,
        asked: &[NetworkName],
    ) -> Vec<LeaveError> {
        let mut failed = Vec::new();
        let mut on_bridge = asked.iter().any(is_bridge);
        let mut bridge = None;
        let mut kept = runtime.cache.of_container(container).unwrap_or_else(|error| {
            failed.push(error.into());
            Vec::new()
        });
        // The last that was joined is left first.
        kept.sort_by(|(_, one), (_, other)| other.interface.as_str().cmp(one.interface.as_str()));
        for (network, attachment) in &kept {
            match self.leave_kept(runtime, network, attachment) {
                Ok(list) if is_bridge(network) => bridge = list,
                Ok(_) => {}
                Err(error) => failed.push(error),
            }
            on_bridge |= is_bridge(network);
        }
        match self.take_back_unfinished(runtime, &Sandbox { container: container.clone(), netns: None }) {
            Ok(networks) => on_bridge |= networks.iter().any(is_bridge),
            Err(error) => failed.push(error.into()),
        }
        if on_bridge {
            failed.extend(self.end_bridge(runtime, bridge).err());
        }
        failed
    }

    /// Takes one attachment away; the list that it was made by, if there was one.
    fn leave_kept(
        &self,
        runtime: &Runtime,
        network: &NetworkName,
        attachment: &Attachment,
    ) -> Result<Option<List>, LeaveError> {
        let now = || self.find(network.as_str()).map_err(ForgetError::from);
        let (list, request) = match runtime.cache.find(network, attachment) {
            // Somebody else was faster, or it is another's after all.
            Ok(None) => return Ok(None),
            Ok(Some(entry)) if entry.attachment != *attachment || entry.network != *network => {
                return Ok(None);
            }
            Ok(Some(entry)) => match List::parse(entry.config.clone()) {
                Ok(list) => leaving(&list, &entry),
                Err(_) => leaving(&now()?.list, &entry),
            },
            Err(CacheError::Torn { .. }) => (now()?.list, Request::new(attachment.clone(), None)),
            Err(error) => return Err(error.into()),
        };
        runtime.del(&list, &request)?;
        Ok(Some(list))
    }

    /// Ends the network `bridge` if that was its last container, and no file stands for it.
    fn end_bridge(&self, runtime: &Runtime, list: Option<List>) -> Result<(), LeaveError> {
        let is_there = |entry: &Entry| entry.stands().unwrap_or(true);
        let Ok(name) = NetworkName::new(BRIDGE) else { return Ok(()) };
        if self.has_file(&name).map_err(ForgetError::from)?
            || runtime.cache.first_of_network(&name, is_there)?.is_some()
        {
            return Ok(());
        }
        let network = match list {
            Some(list) => Network::new(list, Origin::BuiltIn),
            None => match self.find(BRIDGE) {
                // What it was like nobody knows.
                Err(CatalogError::NoBridge { .. } | CatalogError::BuiltIn(_)) => return Ok(()),
                found => found.map_err(ForgetError::from)?,
            },
        };
        self.end_if_empty(runtime, &network)
    }
}

fn is_bridge(network: &NetworkName) -> bool {
    network.as_str() == BRIDGE
}
