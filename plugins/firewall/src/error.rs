//! What can go wrong on the way, as the protocol's codes and as a way out.

use std::fmt::Display;
use std::path::PathBuf;

use cni::{Code, Fault};

/// A step that could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepFault {
    /// iptables could not be changed or looked at.
    #[error(transparent)]
    Iptables(#[from] firewall::iptables::forward::Error),
    /// A chain that drops could not be changed or looked at.
    #[error(transparent)]
    Passage(#[from] firewall::passage::Error),
    /// A bridge could not be closed or opened by our own table.
    #[error(transparent)]
    Policy(#[from] firewall::policy::Error),
    /// Our own tables could not be removed.
    #[error(transparent)]
    Collect(#[from] firewall::gc::Error),
    /// firewalld could not be asked, or refused.
    #[error(transparent)]
    Firewalld(#[from] firewalld::Error),
    /// A configuration asks for firewalld, and there is none.
    #[error("ask firewalld: it does not answer on the system bus")]
    NoFirewalld,
    /// A program is needed that is not there.
    #[error("find {program}, which the old iptables of this kernel needs: it is not installed")]
    NoProgram {
        /// Its name.
        program: &'static str,
    },
    /// The kernel did not say which links there are.
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    /// It could not be found out who else comes or leaves.
    #[error(transparent)]
    Turn(#[from] link::turn::Error),
    /// A note could not be kept.
    #[error("{action} the note {}", file.display())]
    Note {
        /// What was tried.
        action: &'static str,
        /// The note's file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A policy needs to know the bridge.
    #[error(
        "apply ingressPolicy {policy}: prevResult names no interface on the host that could be the bridge"
    )]
    NoBridge {
        /// The policy.
        policy: firewall::IngressPolicy,
    },
}

impl Fault for StepFault {
    fn code(&self) -> Code {
        match self {
            Self::Note { .. } => Code::IO,
            Self::Turn(error) => error.code(),
            Self::Netlink(error) => link::code_of(error),
            Self::NoBridge { .. } | Self::Firewalld(firewalld::Error::NoZone { .. }) => Code::INVALID_CONFIG,
            _ => Code::INTERNAL,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Iptables(error) => error.hint(),
            Self::Passage(error) => error.hint(),
            Self::Policy(error) => error.hint(),
            Self::Collect(error) => error.hint(),
            Self::Firewalld(error) => error.hint(),
            Self::Turn(error) => error.hint(),
            Self::NoFirewalld => Some(
                "start firewalld, or leave out the key backend: then whoever is in charge is asked"
                    .to_owned(),
            ),
            Self::NoProgram { .. } => Some("install the package iptables".to_owned()),
            Self::Note { .. } => Some("NETCTL_RUN_DIR names a folder that can be written".to_owned()),
            Self::NoBridge { .. } => Some("put the plugin behind bridge or ptp in the chain".to_owned()),
            Self::Netlink(_) => None,
        }
    }
}

/// What CHECK found to be otherwise than ADD made it.
#[derive(Debug, thiserror::Error)]
#[error("check {what}: {found}")]
pub(crate) struct Difference {
    /// What was looked at.
    what: String,
    /// How it differs.
    found: String,
}

impl Difference {
    /// `what` is not as it should be: `found`.
    pub(crate) fn new(what: impl Display, found: impl Display) -> Self {
        Self { what: what.to_string(), found: found.to_string() }
    }
}

impl Fault for Difference {
    fn code(&self) -> Code {
        Code::PLUGIN
    }

    fn hint(&self) -> Option<String> {
        Some(
            "somebody flushed or reloaded the host's firewall: `netctl reload` puts back what is missing"
                .to_owned(),
        )
    }
}
