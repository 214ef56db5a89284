//! The way for containers' packets through iptables' chain FORWARD, whose policy may be to drop.
//!
//! Chains, rules and comments are those of the reference plugin `firewall`, so that either takes away what the other
//! made. With today's iptables, which keeps its rules in nf_tables, no program is started at all: the rules are
//! spoken to the kernel just as iptables speaks them ([`native`]). Where the old iptables is in use, its programs do
//! the work, one call of `iptables-restore` a verb and address family ([`legacy`]).
//!
//! The chain for the administrator's own rules is made when it is absent, and never touched again.

mod legacy;
mod line;
mod native;
mod plan;
mod unused;

use std::fmt;
use std::net::IpAddr;

use nix::errno::Errno;
use vocab::InterfaceName;

use super::{Cause, Version, presence, tool};
use crate::channel::{self, Request};
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use plan::Plan;

/// The table of iptables that lets packets pass or not.
const FILTER: &str = "filter";

/// What containers need in the chain FORWARD.
#[derive(Debug, Clone, Copy)]
pub struct IptablesForward<'a> {
    /// Their addresses. An address family that has none is not touched.
    pub addresses: &'a [IpAddr],
    /// The chain that the administrator's own rules are in, which come first (the reference calls it `CNI-ADMIN`).
    pub admin_chain: &'a str,
    /// Who may reach them from other bridges; `None` for everybody.
    pub ingress: Option<Ingress<'a>>,
}

/// Who may reach the containers of a bridge.
#[derive(Debug, Clone, Copy)]
pub struct Ingress<'a> {
    /// The bridge.
    pub bridge: &'a InterfaceName,
    /// Who.
    pub policy: IngressPolicy,
}

/// Who may reach a container from other containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngressPolicy {
    /// Those on the same bridge.
    SameBridge,
    /// None. What a bridge passes on between its own ports is seen by iptables only with the kernel's `br_netfilter`.
    Isolated,
}

impl fmt::Display for IngressPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameBridge => "same-bridge",
            Self::Isolated => "isolated",
        })
    }
}

/// Why the chain FORWARD is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The way could not be opened.
    #[error("let {version} packets of {} pass the chain FORWARD of iptables", list(addresses))]
    Add {
        /// Of which family.
        version: Version,
        /// To and from which addresses.
        addresses: Vec<IpAddr>,
        /// What went wrong.
        source: Cause,
    },
    /// It could not be looked at.
    #[error("look at the {version} chain FORWARD of iptables")]
    Find {
        /// Of which family.
        version: Version,
        /// What went wrong.
        source: Cause,
    },
    /// It could not be closed.
    #[error("remove the {version} rules of {} from the chain CNI-FORWARD of iptables", list(addresses))]
    Remove {
        /// Of which family.
        version: Version,
        /// To and from which addresses.
        addresses: Vec<IpAddr>,
        /// What went wrong.
        source: Cause,
    },
    /// What nobody needs any more could not be taken away.
    #[error(
        "remove the {version} chains CNI-FORWARD and {admin_chain} of iptables, which nobody needs any more"
    )]
    RemoveUnused {
        /// Of which family.
        version: Version,
        /// The administrator's chain.
        admin_chain: String,
        /// What went wrong.
        source: Cause,
    },
    /// A bridge could not be closed.
    #[error("isolate bridge {bridge} in {version} with iptables")]
    AddIngress {
        /// In which family.
        version: Version,
        /// Which bridge.
        bridge: InterfaceName,
        /// What went wrong.
        source: Cause,
    },
    /// A bridge could not be opened again.
    #[error("remove the {version} isolation of bridge {bridge} from iptables")]
    RemoveIngress {
        /// Of which family.
        version: Version,
        /// Which bridge.
        bridge: InterfaceName,
        /// What went wrong.
        source: Cause,
    },
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let (Self::Add { source, .. }
        | Self::Find { source, .. }
        | Self::Remove { source, .. }
        | Self::RemoveUnused { source, .. }
        | Self::AddIngress { source, .. }
        | Self::RemoveIngress { source, .. }) = self;
        match source {
            Cause::Tool(super::ToolError::Missing { .. }) => Some(
                "this kernel filters with the old iptables, which only its program can change: install the package \
                 iptables"
                    .to_owned(),
            ),
            Cause::Tool(source) => source.hint(),
            Cause::Nftables(channel::Error::Refused { errno: Errno::ENOENT, request: Request::AddRule, .. }) => {
                Some(
                    "this kernel lacks a match of iptables: load the modules nft_compat and xt_conntrack \
                     (CONFIG_NFT_COMPAT, CONFIG_NETFILTER_XT_MATCH_CONNTRACK)"
                        .to_owned(),
                )
            }
            Cause::Nftables(source) => source.hint(),
        }
    }
}

impl Firewall {
    /// Whether iptables filters forwarded packets on this host: the kernel has its chain, of the new kind or the old.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn has_iptables_forward(&mut self) -> Result<bool, Error> {
        if Version::BOTH.into_iter().any(is_legacy) {
            return Ok(true);
        }
        let found = native::has_forward_chain(self, Version::V4);
        found.map_err(|source| Error::Find { version: Version::V4, source: source.into() })
    }

    /// Lets packets of containers pass. What all containers share (chains and jumps) is put in place when it is
    /// absent, flushed or out of order; usually it is there, and rules are added at the end of a chain.
    ///
    /// # Errors
    /// [`Error::Add`]; what was added for the other address family stays, for the removal that follows.
    pub fn ensure_iptables_forward(&mut self, forward: &IptablesForward<'_>) -> Result<Ensured, Error> {
        let mut ensured = Ensured::AlreadyThere;
        for version in versions_of(forward.addresses) {
            let added = self.ensure_forward(&forward.plan(version), version);
            let added = added.map_err(|source| Error::Add {
                version,
                addresses: of_version(forward.addresses, version),
                source,
            })?;
            if added == Ensured::Added {
                ensured = Ensured::Added;
            }
        }
        Ok(ensured)
    }

    /// Whether packets of containers pass.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_iptables_forward(&mut self, forward: &IptablesForward<'_>) -> Result<Standing, Error> {
        self.find_plans(versions_of(forward.addresses), |version| forward.plan(version))
    }

    /// Whether the chain FORWARD of today's iptables drops what no rule took.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn iptables_drops_forwarded(&mut self, version: Version) -> Result<bool, Error> {
        native::drops_forwarded(self, version)
            .map_err(|source| Error::Find { version, source: source.into() })
    }

    /// Closes a bridge in the address families of these addresses, and does no more than that.
    ///
    /// # Errors
    /// [`Error::AddIngress`]; what was added for the other address family stays, for the removal that follows.
    pub fn ensure_iptables_ingress(
        &mut self,
        ingress: &Ingress<'_>,
        addresses: &[IpAddr],
    ) -> Result<Ensured, Error> {
        let mut ensured = Ensured::AlreadyThere;
        for version in versions_of(addresses) {
            let added = self.ensure_forward(&Plan::ingress(ingress), version);
            let bridge = ingress.bridge.clone();
            if added.map_err(|source| Error::AddIngress { version, bridge, source })? == Ensured::Added {
                ensured = Ensured::Added;
            }
        }
        Ok(ensured)
    }

    /// The bridges that are closed in either address family, and how.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn list_iptables_ingress(&mut self) -> Result<Vec<(InterfaceName, IngressPolicy)>, Error> {
        let mut bridges: Vec<(InterfaceName, IngressPolicy)> = Vec::new();
        for version in Version::BOTH {
            let found = match is_legacy(version) {
                true => legacy::closed_bridges(version).map_err(Cause::from),
                false => native::closed_bridges(self, version).map_err(Cause::from),
            };
            for bridge in found.map_err(|source| Error::Find { version, source })? {
                if !bridges.contains(&bridge) {
                    bridges.push(bridge);
                }
            }
        }
        Ok(bridges)
    }

    /// Takes the rules of these addresses away, whether the reference made them or we. Chains and tables that are
    /// gone are fine.
    ///
    /// # Errors
    /// [`Error::Remove`], the first of them; the other address family is attended to all the same.
    pub fn remove_iptables_forward(&mut self, addresses: &[IpAddr]) -> Result<Removed, Error> {
        let results = Version::BOTH.map(|version| {
            let addresses = of_version(addresses, version);
            if addresses.is_empty() {
                return Ok(Removed::Before);
            }
            self.remove_forward(&addresses, version).map_err(|source| Error::Remove {
                version,
                addresses,
                source,
            })
        });
        any_removed(results)
    }

    /// Takes the isolation of a bridge away, in both address families; with the last bridge go its chains.
    ///
    /// # Errors
    /// [`Error::RemoveIngress`], the first of them; the other address family is attended to all the same.
    pub fn remove_iptables_ingress(&mut self, bridge: &InterfaceName) -> Result<Removed, Error> {
        let results = Version::BOTH.map(|version| {
            let removed = self.remove_ingress(bridge, version);
            removed.map_err(|source| Error::RemoveIngress { version, bridge: bridge.clone(), source })
        });
        any_removed(results)
    }

    /// Takes away what containers share, chains and jumps, when no container's rule is left and the administrator has
    /// none of their own in `admin_chain`: then the next container needs that order. The chain FORWARD and its table go
    /// with it if they were made for it and nobody else has put anything there. Where the old iptables is in use, its
    /// empty chains stay.
    ///
    /// # Errors
    /// [`Error::RemoveUnused`], the first of them; the other address family is attended to all the same.
    pub fn remove_unused_iptables_forward(&mut self, admin_chain: &str) -> Result<Removed, Error> {
        let results = Version::BOTH.map(|version| {
            let native = unused::remove(self, admin_chain, version);
            let removed = if is_legacy(version) { known_absent(native) } else { native };
            removed.map_err(|source| Error::RemoveUnused {
                version,
                admin_chain: admin_chain.to_owned(),
                source: source.into(),
            })
        });
        any_removed(results)
    }

    fn find_plans(
        &mut self,
        versions: impl Iterator<Item = Version>,
        plan: impl Fn(Version) -> Plan,
    ) -> Result<Standing, Error> {
        let mut missing = Vec::new();
        for version in versions {
            let plan = plan(version);
            let found = match is_legacy(version) {
                true => legacy::find(&plan, version).map_err(Cause::from),
                false => native::find(self, &plan, version).map_err(Cause::from),
            };
            missing.extend(found.map_err(|source| Error::Find { version, source })?);
        }
        Ok(if missing.is_empty() { Standing::Whole } else { Standing::Missing(missing) })
    }

    fn ensure_forward(&mut self, plan: &Plan, version: Version) -> Result<Ensured, Cause> {
        if !is_legacy(version) {
            return Ok(native::ensure(self, plan, version)?);
        }
        let ensured = legacy::ensure(plan, version)?;
        // Both kinds may be in use at once, and a packet must pass both.
        match native::drops_forwarded(self, version)? {
            true => Ok(native::ensure(self, plan, version)?),
            false => Ok(ensured),
        }
    }

    fn remove_forward(&mut self, addresses: &[IpAddr], version: Version) -> Result<Removed, Cause> {
        let native = native::remove(self, addresses, version);
        if !is_legacy(version) {
            return Ok(native?);
        }
        of_both(native, legacy::remove(addresses, version)?)
    }

    fn remove_ingress(&mut self, bridge: &InterfaceName, version: Version) -> Result<Removed, Cause> {
        let native = native::remove_ingress(self, bridge, version);
        if !is_legacy(version) {
            return Ok(native?);
        }
        of_both(native, legacy::remove_ingress(bridge, version)?)
    }
}

impl IptablesForward<'_> {
    fn plan(&self, version: Version) -> Plan {
        let plan = Plan::forward(self.admin_chain, self.addresses, version);
        match &self.ingress {
            Some(ingress) => plan.and(Plan::ingress(ingress)),
            None => plan,
        }
    }
}

/// The programs that this kernel's iptables needs: those of the old one, where that is in use.
#[must_use]
pub fn programs() -> Vec<&'static str> {
    Version::BOTH.into_iter().filter(|version| is_legacy(*version)).flat_map(tool::programs).collect()
}

/// The address families that have addresses.
fn versions_of(addresses: &[IpAddr]) -> impl Iterator<Item = Version> {
    Version::BOTH.into_iter().filter(|version| !of_version(addresses, *version).is_empty())
}

fn of_version(addresses: &[IpAddr], version: Version) -> Vec<IpAddr> {
    addresses.iter().copied().filter(|address| Version::of(*address) == version).collect()
}

fn any_removed(results: [Result<Removed, Error>; 2]) -> Result<Removed, Error> {
    let [v4, v6] = results;
    Ok(if [v4?, v6?].contains(&Removed::Now) { Removed::Now } else { Removed::Before })
}

/// Whether the old iptables filters packets of this family.
fn is_legacy(version: Version) -> bool {
    presence::is_old(version, FILTER)
}

/// What was removed where both kinds of iptables may be in use.
fn of_both(native: Result<Removed, channel::Error>, legacy: Removed) -> Result<Removed, Cause> {
    let was_there = [known_absent(native)?, legacy].contains(&Removed::Now);
    Ok(if was_there { Removed::Now } else { Removed::Before })
}

/// A kernel with the old iptables may have no nf_tables at all: then nothing is there.
fn known_absent(removed: Result<Removed, channel::Error>) -> Result<Removed, channel::Error> {
    match removed.as_ref().map_err(channel::Error::errno) {
        Err(Some(Errno::EPROTONOSUPPORT | Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP | Errno::EINVAL)) => {
            Ok(Removed::Before)
        }
        _ => removed,
    }
}
