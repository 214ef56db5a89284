//! STATUS: whether an ADD could be served.

use std::net::{IpAddr, Ipv4Addr};

use cni::{Code, Failure, Fault, StatusCall};
use firewall::iptables::find_program;
use firewall::{Firewall, Owner, Passage};

use crate::backend::Backend;
use crate::config;
use crate::error::StepFault;

/// Something that every ADD needs is not to be had.
#[derive(Debug)]
struct NotAvailable(Failure);

impl std::fmt::Display for NotAvailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotAvailable {}

impl Fault for NotAvailable {
    fn code(&self) -> Code {
        Code::NOT_AVAILABLE
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

pub(crate) fn status(call: &StatusCall) -> Result<(), Failure> {
    let settings = config::read(&call.call.config)?;
    let mut firewall = Firewall::new();
    let backend = Backend::choose(settings.backend, &mut firewall).map_err(not_available)?;
    match backend {
        Backend::Firewalld { mut zones, .. } => {
            // Whether nobody's address is in the zone is asked of a zone that there is.
            let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED).into();
            zones.has_source(&settings.zone, nobody).map(drop).map_err(StepFault::from).map_err(not_available)
        }
        Backend::Iptables { .. } => {
            let mut needed = firewall::iptables::forward::programs().into_iter();
            match needed.find(|program| find_program(program).is_none()) {
                Some(program) => Err(not_available(StepFault::NoProgram { program })),
                None => {
                    firewall.has_iptables_forward().map(drop).map_err(StepFault::from).map_err(not_available)
                }
            }
        }
        Backend::Nftables => {
            let passage = Passage { owner: &Owner::network(call.call.config.name()), addresses: &[] };
            firewall.find_passage(&passage).map(drop).map_err(StepFault::from).map_err(not_available)
        }
    }
}

fn not_available(error: impl Into<Failure>) -> Failure {
    NotAvailable(error.into()).into()
}
