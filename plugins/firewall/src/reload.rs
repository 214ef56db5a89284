//! Reload: the way of a container that stands is opened again where a flush closed it.

use cni::{CheckCall, ConfigError, Failure, Reloaded, Verb};
use firewall::{Ensured, Firewall};

use crate::backend::{Backend, Traffic};
use crate::config;
use crate::plan::Plan;
use crate::{apart, ingress, notes, release};

pub(crate) fn reload(call: &CheckCall) -> Result<Reloaded, Failure> {
    let config = &call.call.config;
    let settings = config::read(config)?;
    let missing = || ConfigError::MissingPrevResult { verb: Verb::Check };
    let plan = Plan::new(&config.prev_result()?.ok_or_else(missing)?)?;
    if plan.addresses.is_empty() {
        return Ok(Reloaded::AsItWas);
    }
    let mut firewall = Firewall::new();
    let mut backend = Backend::choose(settings.backend, &mut firewall)?;
    let wanted = ingress::wanted(&settings, &plan)?;
    let by_iptables = ingress::is_by_iptables(&settings);
    let owner = notes::owner(config.name(), &call.attachment);
    let traffic = Traffic {
        settings: &settings,
        owner: &owner,
        addresses: &plan.addresses,
        ingress: wanted.filter(|_| by_iptables),
    };
    let _joined = wanted.map(|wanted| ingress::join(&wanted)).transpose()?;
    // As in ADD: closed before it is opened.
    let apart = apart::keep(&apart::find_together(wanted.as_ref(), &plan)?)?;
    let closed = match wanted.filter(|_| !by_iptables) {
        Some(wanted) => ingress::ensure(&mut firewall, config.name(), &wanted)?,
        None => Ensured::AlreadyThere,
    };
    let opened = backend.open(&mut firewall, &traffic)?;
    release::close(firewall, &call.call);
    let is_new = [apart, closed, opened].contains(&Ensured::Added);
    Ok(if is_new { Reloaded::PutBack } else { Reloaded::AsItWas })
}
