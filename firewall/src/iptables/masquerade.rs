//! Masquerade with iptables, for configurations that ask for it by name (`"ipMasqBackend": "iptables"`).

mod plan;

use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName};

use super::presence::Presence;
use super::{Cause, NAT, Version, tool};
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;

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

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (Self::Add { source, .. }
        | Self::Find { source, .. }
        | Self::Remove { source, .. }
        | Self::Collect { source, .. }) = self;
        source.hint()
    }
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
        if self.presence(version, NAT, |family| (family, message::get_named_table(NAT)))? == Presence::Absent
        {
            return Ok(0);
        }
        let saved = tool::save(version, NAT)?;
        let mut gone = plan::containers(&saved, network);
        gone.retain(|container| !keep(container));
        if !gone.is_empty() {
            tool::restore(version, NAT, &plan::removal_of_all(&saved, network, &gone, version))?;
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
        let lines =
            match self.presence(version, NAT, |family| (family, message::get_chain(NAT, plan.chain())))? {
                Presence::Absent => Some(plan.addition("")),
                // A failed ADD left it, or the container has another interface on this network.
                Presence::Present | Presence::Unknown => {
                    let saved = tool::save(version, NAT)?;
                    (!plan.missing(&saved).is_empty()).then(|| plan.addition(&saved))
                }
            };
        let Some(lines) = lines else { return Ok(Ensured::AlreadyThere) };
        tool::restore(version, NAT, &lines)?;
        Ok(Ensured::Added)
    }

    fn remove_version(
        &mut self,
        masquerade: &IptablesMasquerade<'_>,
        version: Version,
    ) -> Result<Removed, Cause> {
        let plan = plan::Plan::new(masquerade, version);
        match self.presence(version, NAT, |family| (family, message::get_chain(NAT, plan.chain())))? {
            Presence::Absent => return Ok(Removed::Before),
            // All of it at once, as it was made; if anything else is there, nothing is done by this.
            Presence::Present if !plan.is_empty() && tool::restore(version, NAT, &plan.removal()).is_ok() => {
                return Ok(Removed::Now);
            }
            Presence::Present | Presence::Unknown => {}
        }
        let lines = plan.removal_of(&tool::save(version, NAT)?);
        if lines.is_empty() {
            return Ok(Removed::Before);
        }
        tool::restore(version, NAT, &lines)?;
        Ok(Removed::Now)
    }
}
