//! Reload: the way of a container that stands is opened again where a flush closed it.

use cni::{CheckCall, Failure, Reloaded, Verb};
use firewall::{Ensured, Firewall};

use crate::asked::Asked;
use crate::backend::Backend;
use crate::{apart, ingress, release};

pub(crate) fn reload(call: &CheckCall) -> Result<Reloaded, Failure> {
    let asked = Asked::read(&call.call.config, &call.attachment, Verb::Check)?;
    if asked.is_empty() {
        return Ok(Reloaded::AsItWas);
    }
    let mut firewall = Firewall::new();
    let mut backend = Backend::choose(asked.settings.backend, &mut firewall)?;
    let closing = asked.closing()?;
    let joined = closing.any.map(|ingress| ingress::join(&ingress)).transpose()?;
    // As in ADD: closed before it is opened.
    let apart = apart::keep(&apart::find_together(closing.any.as_ref(), &asked.plan)?)?;
    let closed = match closing.by_table {
        Some(ingress) => ingress::ensure(&mut firewall, asked.network, &ingress)?,
        None => Ensured::AlreadyThere,
    };
    let opened = backend.open(&mut firewall, &asked.traffic(&closing))?;
    drop(joined);
    release::close(firewall, &call.call);
    let is_new = [apart, closed, opened].contains(&Ensured::Added);
    Ok(if is_new { Reloaded::PutBack } else { Reloaded::AsItWas })
}
