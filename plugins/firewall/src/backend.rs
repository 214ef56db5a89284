//! Who lets packets pass on this host.
//!
//! Nobody is asked by starting a program: the kernel knows iptables' chain and the chains that drop, the system bus
//! knows firewalld.

pub(crate) mod zones;

use std::net::IpAddr;

use firewall::iptables::{Version, find_program};
use firewall::{Ensured, Firewall, Ingress, IptablesForward, Owner, Passage, Standing};

use crate::config::{Settings, Wanted};
use crate::error::{Difference, StepFault};
use cni::Failure;
use zones::Zones;

/// The program whose presence tells that the administrator uses iptables.
const IPTABLES: &str = "iptables";

/// Who lets packets pass.
pub(crate) enum Backend {
    /// The chain FORWARD of iptables, old or new.
    Iptables {
        /// The chains of nftables that drop, too: the administrator did not say iptables, we did.
        and_passages: bool,
    },
    /// A zone of firewalld.
    Firewalld {
        /// The connection.
        zones: Box<dyn Zones>,
        /// The chains of others that drop, too: a packet must pass them all, and the administrator did not say
        /// firewalld, we did.
        and_others: bool,
    },
    /// The chains that drop, iptables' own among them.
    Nftables,
}

/// What is to pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) owner: &'a Owner,
    pub(crate) addresses: &'a [IpAddr],
    /// The isolation that iptables is asked for together with the rest.
    pub(crate) ingress: Option<Ingress<'a>>,
}

impl Backend {
    /// Finds out who is in charge, unless the configuration says it.
    pub(crate) fn choose(wanted: Wanted, firewall: &mut Firewall) -> Result<Self, StepFault> {
        match wanted {
            Wanted::Iptables => Ok(Self::Iptables { and_passages: false }),
            Wanted::Nftables => Ok(Self::Nftables),
            Wanted::Firewalld => {
                let zones = zones::open()?.ok_or(StepFault::NoFirewalld)?;
                Ok(Self::Firewalld { zones, and_others: false })
            }
            Wanted::InCharge => match zones::open()? {
                Some(zones) => Ok(Self::Firewalld { zones, and_others: true }),
                None if firewall.has_iptables_forward()? || find_program(IPTABLES).is_some() => {
                    Ok(Self::Iptables { and_passages: true })
                }
                None => Ok(Self::Nftables),
            },
        }
    }

    /// In which zone it opens the way, if it is firewalld.
    pub(crate) fn zone<'a>(&self, settings: &'a Settings) -> Option<&'a str> {
        matches!(self, Self::Firewalld { .. }).then_some(settings.zone.as_str())
    }

    /// Opens the way.
    pub(crate) fn open(
        &mut self,
        firewall: &mut Firewall,
        traffic: &Traffic<'_>,
    ) -> Result<Ensured, StepFault> {
        let mut done = Vec::new();
        match self {
            Self::Iptables { and_passages } => {
                done.push(firewall.ensure_iptables_forward(&traffic.forward(traffic.addresses))?);
                if *and_passages {
                    done.push(firewall.ensure_passage(&traffic.passage())?);
                }
            }
            Self::Firewalld { zones, and_others } => {
                for address in traffic.addresses {
                    done.push(zones.add_source(&traffic.settings.zone, (*address).into())?);
                }
                if *and_others {
                    done.extend(open_what_drops(firewall, traffic)?);
                }
            }
            Self::Nftables => done.extend(open_what_drops(firewall, traffic)?),
        }
        Ok(if done.contains(&Ensured::Added) { Ensured::Added } else { Ensured::AlreadyThere })
    }

    /// Finds out whether the way is open.
    pub(crate) fn check(&mut self, firewall: &mut Firewall, traffic: &Traffic<'_>) -> Result<(), Failure> {
        match self {
            Self::Iptables { and_passages } => {
                check_iptables(firewall, &traffic.forward(traffic.addresses))?;
                if *and_passages { check_passage(firewall, traffic) } else { Ok(()) }
            }
            Self::Firewalld { zones, and_others } => {
                check_zone(&mut **zones, traffic)?;
                if *and_others { check_what_drops(firewall, traffic) } else { Ok(()) }
            }
            Self::Nftables => check_what_drops(firewall, traffic),
        }
    }
}

impl<'a> Traffic<'a> {
    fn forward(&self, addresses: &'a [IpAddr]) -> IptablesForward<'a> {
        IptablesForward { addresses, admin_chain: &self.settings.admin_chain, ingress: self.ingress }
    }

    fn passage(&self) -> Passage<'a> {
        Passage { owner: self.owner, addresses: self.addresses }
    }
}

/// Opens the way through the chains that drop, iptables' own among them. Where none drops, nothing is done.
fn open_what_drops(firewall: &mut Firewall, traffic: &Traffic<'_>) -> Result<[Ensured; 2], StepFault> {
    let dropped = dropped_by_iptables(firewall, traffic.addresses)?;
    Ok([
        firewall.ensure_iptables_forward(&traffic.forward(&dropped))?,
        firewall.ensure_passage(&traffic.passage())?,
    ])
}

fn check_what_drops(firewall: &mut Firewall, traffic: &Traffic<'_>) -> Result<(), Failure> {
    let dropped = dropped_by_iptables(firewall, traffic.addresses)?;
    check_iptables(firewall, &traffic.forward(&dropped))?;
    check_passage(firewall, traffic)
}

fn check_zone(zones: &mut dyn Zones, traffic: &Traffic<'_>) -> Result<(), Failure> {
    let zone = &traffic.settings.zone;
    for address in traffic.addresses {
        if !zones.has_source(zone, (*address).into()).map_err(StepFault::from)? {
            let what = format!("zone {zone} of firewalld");
            return Err(Difference::new(what, format!("it lacks the source {address}")).into());
        }
    }
    Ok(())
}

fn check_iptables(firewall: &mut Firewall, forward: &IptablesForward<'_>) -> Result<(), Failure> {
    demand(firewall.find_iptables_forward(forward).map_err(StepFault::from)?, "the chain FORWARD of iptables")
}

fn check_passage(firewall: &mut Firewall, traffic: &Traffic<'_>) -> Result<(), Failure> {
    let standing = firewall.find_passage(&traffic.passage()).map_err(StepFault::from)?;
    demand(standing, "the chains of nftables that drop")
}

/// Only a chain that stands whole will do.
pub(crate) fn demand(standing: Standing, what: &str) -> Result<(), Failure> {
    match standing {
        Standing::Whole => Ok(()),
        Standing::RulesMissing => Err(Difference::new(what, "the rules are gone").into()),
        Standing::Missing(missing) => {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            Err(Difference::new(what, format!("{} {verb} missing", missing.join(", "))).into())
        }
    }
}

/// The addresses whose packets iptables' own chain drops.
fn dropped_by_iptables(firewall: &mut Firewall, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, StepFault> {
    let mut dropped = Vec::new();
    for version in [Version::V4, Version::V6] {
        let of_version = addresses.iter().filter(|address| address.is_ipv4() == (version == Version::V4));
        let of_version: Vec<_> = of_version.copied().collect();
        if !of_version.is_empty() && firewall.iptables_drops_forwarded(version)? {
            dropped.extend(of_version);
        }
    }
    Ok(dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};
    use zones::fake::Fake;

    fn settings() -> Settings {
        Settings {
            backend: Wanted::Firewalld,
            admin_chain: "CNI-ADMIN".to_owned(),
            zone: "work".to_owned(),
            ingress: None,
        }
    }

    #[test]
    fn firewalld_is_given_every_address_and_asked_for_them_by_check() {
        let attachment = Attachment::new(ContainerId::new("a").unwrap(), InterfaceName::new("eth0").unwrap());
        let owner = Owner::attachment(&NetworkName::new("net").unwrap(), &attachment);
        let addresses: Vec<IpAddr> = ["10.1.0.2", "fd00::2"].map(|text| text.parse().unwrap()).to_vec();
        let settings = settings();
        let traffic = Traffic { settings: &settings, owner: &owner, addresses: &addresses, ingress: None };
        let fake = Fake::default();
        let mut backend = Backend::Firewalld { zones: Box::new(fake.clone()), and_others: false };
        assert_eq!(backend.zone(&settings), Some("work"));
        assert_eq!(backend.open(&mut Firewall::new(), &traffic).unwrap(), Ensured::Added);
        assert_eq!(backend.open(&mut Firewall::new(), &traffic).unwrap(), Ensured::AlreadyThere);
        assert_eq!(fake.sources(), ["work 10.1.0.2/32", "work fd00::2/128"]);
        backend.check(&mut Firewall::new(), &traffic).unwrap();
        fake.clone().remove_source("work", addresses[1].into()).unwrap();
        let error = backend.check(&mut Firewall::new(), &traffic).unwrap_err().to_string();
        assert_eq!(error, "check zone work of firewalld: it lacks the source fd00::2");
    }
}
