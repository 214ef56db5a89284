//! Masquerade with iptables, for configurations that ask for it by name (`"ipMasqBackend": "iptables"`).
//!
//! Chains, rules and comments are those of the reference plugins, so that either takes away what the other
//! made. Whether a container's chain is there at all is asked of nf_tables by netlink; a program is started
//! once a verb and address family, and only when there is something to do. Only this module starts programs.

pub mod forward;
mod plan;
mod tool;

use std::fs;

use ipnetwork::IpNetwork;
use netlink_packet_netfilter::NetfilterProtoFamily;
use vocab::{ContainerId, NetworkName};

use crate::channel;
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;

pub use plan::Version;
pub use tool::Error as ToolError;

/// The table of iptables that translates addresses.
const NAT: &str = "nat";

/// A container's addresses on a network, all of which are masqueraded.
#[derive(Debug, Clone, Copy)]
pub struct IptablesMasquerade<'a> {
    /// The network.
    pub network: &'a NetworkName,
    /// The container. The reference does not tell its interfaces apart.
    pub container: &'a ContainerId,
    /// Its addresses, each with the length of its subnet's prefix. To remove what is there without knowing
    /// them, leave them out.
    pub addresses: &'a [IpNetwork],
}

/// Why a container is not masqueraded by iptables as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be made so.
    #[error("add {version} masquerade of container {container} in network {network} with iptables")]
    Add {
        /// Of its IPv4 or IPv6 addresses.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// What went wrong.
        source: Cause,
    },
    /// It could not be looked at.
    #[error("look for {version} masquerade of container {container} in network {network} with iptables")]
    Find {
        /// Of its IPv4 or IPv6 addresses.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// What went wrong.
        source: Cause,
    },
    /// It could not be ended.
    #[error("remove {version} masquerade of container {container} in network {network} with iptables")]
    Remove {
        /// Of its IPv4 or IPv6 addresses.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// Which container.
        container: ContainerId,
        /// What went wrong.
        source: Cause,
    },
    /// What belongs to nobody could not be ended.
    #[error("remove {version} masquerade of containers that network {network} no longer has with iptables")]
    Collect {
        /// Of their IPv4 or IPv6 addresses.
        version: Version,
        /// On which network.
        network: NetworkName,
        /// What went wrong.
        source: Cause,
    },
}

/// What went wrong: the program, or the question whether it is needed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The program.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The question.
    #[error(transparent)]
    Nftables(#[from] channel::Error),
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (Self::Add { source, .. }
        | Self::Find { source, .. }
        | Self::Remove { source, .. }
        | Self::Collect { source, .. }) = self;
        match source {
            Cause::Tool(source) => source.hint(),
            Cause::Nftables(source) => source.hint(),
        }
    }
}

/// Whether a chain or table is there, as far as that is known without starting a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Present,
    Absent,
    /// The old iptables of this kernel is in use, which only its program can read.
    Unknown,
}

impl Firewall {
    /// Masquerades a container's addresses.
    ///
    /// # Errors
    /// [`Error::Add`]; what was added for the other address family stays, for the DEL that follows.
    pub fn ensure_iptables_masquerade(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
    ) -> Result<Ensured, Error> {
        let mut ensured = Ensured::AlreadyThere;
        for version in Version::BOTH {
            match self.ensure_version(masquerade, version).map_err(|source| Error::Add {
                version,
                network: masquerade.network.clone(),
                container: masquerade.container.clone(),
                source,
            })? {
                Ensured::Added => ensured = Ensured::Added,
                Ensured::AlreadyThere => {}
            }
        }
        Ok(ensured)
    }

    /// Whether a container's addresses are masqueraded.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_iptables_masquerade(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
    ) -> Result<Standing, Error> {
        let mut missing = Vec::new();
        for version in Version::BOTH {
            let plan = plan::Plan::new(masquerade, version);
            if plan.is_empty() {
                continue;
            }
            let saved = tool::save(version, NAT).map_err(|source| Error::Find {
                version,
                network: masquerade.network.clone(),
                container: masquerade.container.clone(),
                source: source.into(),
            })?;
            missing.extend(plan.missing(&saved));
        }
        Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
    }

    /// Ends the masquerade of a container, whether the reference made it or we. Both address families are
    /// attended to, whatever addresses are named.
    ///
    /// # Errors
    /// [`Error::Remove`], the first of them; the other address family is attended to all the same.
    pub fn remove_iptables_masquerade(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
    ) -> Result<Removed, Error> {
        let [v4, v6] = Version::BOTH.map(|version| {
            self.remove_version(masquerade, version).map_err(|source| Error::Remove {
                version,
                network: masquerade.network.clone(),
                container: masquerade.container.clone(),
                source,
            })
        });
        Ok(if [v4?, v6?].contains(&Removed::Now) { Removed::Now } else { Removed::Before })
    }

    /// Ends the masquerade of those containers of a network that are not to be kept; returns of how many.
    ///
    /// # Errors
    /// [`Error::Collect`], the first of them; the other address family is attended to all the same.
    pub fn retain_iptables_masquerades(
        &mut self,
        network: &NetworkName,
        keep: impl Fn(&ContainerId) -> bool,
    ) -> Result<usize, Error> {
        let [v4, v6] = Version::BOTH.map(|version| {
            self.retain_version(network, version, &keep).map_err(|source| Error::Collect {
                version,
                network: network.clone(),
                source,
            })
        });
        Ok(v4? + v6?)
    }

    fn retain_version(
        &mut self,
        network: &NetworkName,
        version: Version,
        keep: impl Fn(&ContainerId) -> bool,
    ) -> Result<usize, Cause> {
        if self.presence(version, |family| (family, message::get_named_table(NAT)))? == Presence::Absent {
            return Ok(0);
        }
        let saved = tool::save(version, NAT)?;
        let mut gone = plan::containers(&saved, network);
        gone.retain(|container| !keep(container));
        if !gone.is_empty() {
            tool::restore(version, &plan::removal_of_all(&saved, network, &gone, version))?;
        }
        Ok(gone.len())
    }

    fn ensure_version(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
        version: Version,
    ) -> Result<Ensured, Cause> {
        let plan = plan::Plan::new(masquerade, version);
        if plan.is_empty() {
            return Ok(Ensured::AlreadyThere);
        }
        let script = match self.presence(version, |family| (family, message::get_chain(NAT, plan.chain())))? {
            Presence::Absent => Some(plan.addition("")),
            // A failed ADD left it, or the container has another interface on this network.
            Presence::Present | Presence::Unknown => {
                let saved = tool::save(version, NAT)?;
                (!plan.missing(&saved).is_empty()).then(|| plan.addition(&saved))
            }
        };
        let Some(script) = script else { return Ok(Ensured::AlreadyThere) };
        tool::restore(version, &script)?;
        Ok(Ensured::Added)
    }

    fn remove_version(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
        version: Version,
    ) -> Result<Removed, Cause> {
        let plan = plan::Plan::new(masquerade, version);
        match self.presence(version, |family| (family, message::get_chain(NAT, plan.chain())))? {
            Presence::Absent => return Ok(Removed::Before),
            // All of it at once, as it was made; if anything else is there, nothing is done by this.
            Presence::Present if !plan.is_empty() && tool::restore(version, &plan.removal()).is_ok() => {
                return Ok(Removed::Now);
            }
            Presence::Present | Presence::Unknown => {}
        }
        let Some(script) = plan.removal_of(&tool::save(version, NAT)?) else { return Ok(Removed::Before) };
        tool::restore(version, &script)?;
        Ok(Removed::Now)
    }

    /// Whether the object that `question` is about is there.
    fn presence(
        &mut self,
        version: Version,
        question: impl Fn(NetfilterProtoFamily) -> channel::Question,
    ) -> Result<Presence, channel::Error> {
        let (family, names) = match version {
            Version::V4 => (NetfilterProtoFamily::IPv4, "/proc/thread-self/net/ip_tables_names"),
            Version::V6 => (NetfilterProtoFamily::IPv6, "/proc/thread-self/net/ip6_tables_names"),
        };
        // Where this file does not list a table, the old iptables has never been asked for it.
        let tables = fs::read_to_string(names).unwrap_or_default();
        if tables.lines().any(|table| table == NAT) {
            return Ok(Presence::Unknown);
        }
        let answers = self.attempt(|channel| channel.ask(vec![question(family)]))?;
        Ok(if answers.iter().any(Option::is_some) { Presence::Present } else { Presence::Absent })
    }
}
