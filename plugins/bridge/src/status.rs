//! STATUS: whether an ADD could be served.

use cni::{Failure, NotAvailable, StatusCall};
use firewall::Firewall;
use netlink::RouteSocket;

use crate::config::{self, Masquerade};
use crate::error::StepFault;

pub(crate) fn status(call: &StatusCall) -> Result<(), Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    // A name that belongs to another kind of link makes every ADD fail.
    link::bridge::find(&mut host, &settings.bridge).map_err(NotAvailable::because)?;
    if settings.masquerade == Masquerade::Nftables {
        Firewall::new().list_masquerades().map_err(StepFault::from).map_err(NotAvailable::because)?;
    }
    match &settings.ipam {
        Some(kind) => Ok(delegated.delegate(kind)?.status()?),
        None => Ok(()),
    }
}
