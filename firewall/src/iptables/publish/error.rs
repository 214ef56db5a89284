//! Why ports are not published as they should be, and what a person can do about it.

use vocab::{ContainerId, NetworkName};

use super::{ChainName, IptablesPublication, Mark};
use crate::iptables::{Cause, ToolError, Version};

/// Why ports are not published by iptables as they should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They could not be published.
    #[error("publish {version} ports of container {container} in network {network} with iptables")]
    Add {
        /// At its IPv4 or IPv6 address.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// The chain that somebody else looks after, if one is needed.
        mark_chain: Option<ChainName>,
        /// What went wrong.
        source: Cause,
    },
    /// They could not be looked at.
    #[error("look for published {version} ports of container {container} in network {network} with iptables")]
    Find {
        /// At its IPv4 or IPv6 address.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// What went wrong.
        source: Cause,
    },
    /// They could not be taken back.
    #[error("remove published {version} ports of container {container} in network {network} with iptables")]
    Remove {
        /// At its IPv4 or IPv6 address.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// What went wrong.
        source: Cause,
    },
    /// What belongs to nobody could not be taken back.
    #[error(
        "remove published {version} ports of containers that network {network} no longer has with iptables"
    )]
    Collect {
        /// At their IPv4 or IPv6 addresses.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// What went wrong.
        source: Cause,
    },
    /// Whether others have the ports could not be found out.
    #[error("look for {version} ports that others have published with iptables")]
    Claims {
        /// At IPv4 or IPv6 addresses.
        version: Version,
        /// What went wrong.
        source: Cause,
    },
}

impl Error {
    pub(super) fn add(publication: &IptablesPublication<'_>, version: Version, source: Cause) -> Self {
        let mark_chain = match &publication.options.mark {
            Mark::Chain(chain) if publication.options.snat => Some(chain.clone()),
            Mark::Chain(_) | Mark::Bit(_) => None,
        };
        let (network, container) = (publication.network.clone(), publication.container.clone());
        Self::Add { version, network, container, mark_chain, source }
    }

    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if let Self::Add {
            version,
            mark_chain: Some(chain),
            source: Cause::Tool(ToolError::Refused { .. }),
            ..
        } = self
        {
            let program = match version {
                Version::V4 => "iptables",
                Version::V6 => "ip6tables",
            };
            return Some(format!("see whether externalSetMarkChain exists: {program} -t nat -S {chain}"));
        }
        let (Self::Add { source, .. }
        | Self::Find { source, .. }
        | Self::Remove { source, .. }
        | Self::Collect { source, .. }
        | Self::Claims { source, .. }) = self;
        source.hint()
    }
}
