//! Masquerade with iptables, for configurations that ask for it by name (`"ipMasqBackend": "iptables"`).
//!
//! A container's rules are `iptables-restore`'s. Where nf_tables holds them, what they need (the table, its chain
//! POSTROUTING, and the container's chain) is made by netlink before: so it is known to be ours, and goes with the last
//! container (`foreign::sweep`); and while the container's chain is there nobody takes it away from under
//! the program.

mod chain;
mod plan;

use ipnetwork::IpNetwork;
use vocab::{ContainerId, NetworkName};

use super::kind::Kind;
use super::presence::{Presence, is_old};
use super::{Cause, NAT, Version, tool};
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::foreign::sweep;
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
        if !is_old(version, NAT) {
            let labelled = self.attempt(|channel| chain::containers(channel, version, network))?;
            gone.extend(
                labelled.into_iter().filter(|container| !gone.contains(container)).collect::<Vec<_>>(),
            );
        }
        gone.retain(|container| !keep(container));
        if !gone.is_empty() {
            tool::restore(version, NAT, &plan::removal_of_all(&saved, network, &gone, version))?;
            self.sweep(version)?;
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
        if Kind::of_programs(version) != Some(Kind::New) {
            let question = |family| (family, message::get_chain(NAT, plan.chain()));
            return match self.presence(version, NAT, question)? {
                Presence::Absent => {
                    tool::restore(version, NAT, &plan.addition(""))?;
                    Ok(Ensured::Added)
                }
                Presence::Present | Presence::Unknown => complete(&plan, version),
            };
        }
        let label = plan::label(masquerade.network, masquerade.container);
        if self.attempt(|channel| chain::prepare(channel, version, plan.chain(), &label))?
            == Ensured::AlreadyThere
        {
            return complete(&plan, version);
        }
        if let Err(error) = tool::restore(version, NAT, &plan.missing("")) {
            // What cannot be undone now is found by its chain, by the DEL that follows.
            let _undone = self.attempt(|channel| chain::remove_if_empty(channel, version, plan.chain()));
            return Err(error.into());
        }
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
                self.sweep(version)?;
                return Ok(Removed::Now);
            }
            Presence::Present | Presence::Unknown => {}
        }
        let lines = plan.removal_of(&tool::save(version, NAT)?);
        if lines.is_empty() {
            return Ok(Removed::Before);
        }
        tool::restore(version, NAT, &lines)?;
        self.sweep(version)?;
        Ok(Removed::Now)
    }

    /// Takes away what was made for the first container, if the last one has just gone.
    fn sweep(&mut self, version: Version) -> Result<(), Cause> {
        if is_old(version, NAT) {
            return Ok(());
        }
        self.attempt(|channel| sweep::remove_idle(channel, version.family(), &sweep::NAT))?;
        Ok(())
    }
}

/// Adds what is missing: a failed ADD left the chain, or the container has another interface on this network.
fn complete(plan: &plan::Plan, version: Version) -> Result<Ensured, Cause> {
    let saved = tool::save(version, NAT)?;
    if plan.missing(&saved).is_empty() {
        return Ok(Ensured::AlreadyThere);
    }
    tool::restore(version, NAT, &plan.addition(&saved))?;
    Ok(Ensured::Added)
}
