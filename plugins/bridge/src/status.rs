//! STATUS: whether an ADD could be served.

use cni::{Code, Failure, Fault, StatusCall};
use firewall::Firewall;
use netlink::RouteSocket;

use crate::config::{self, Masquerade};
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
    let (settings, delegated) = config::read(&call.call)?;
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    // A name that belongs to another kind of link makes every ADD fail.
    link::bridge::find(&mut host, &settings.bridge).map_err(not_available)?;
    if settings.masquerade == Masquerade::Nftables {
        Firewall::new().list_masquerades().map_err(StepFault::from).map_err(not_available)?;
    }
    match &settings.ipam {
        Some(kind) => Ok(delegated.delegate(kind)?.status()?),
        None => Ok(()),
    }
}

fn not_available(error: impl Into<Failure>) -> Failure {
    NotAvailable(error.into()).into()
}
