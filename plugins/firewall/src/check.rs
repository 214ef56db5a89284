//! CHECK: whether the way is still open, and what is in it if it is not.

use cni::{CheckCall, ConfigError, Failure, Verb};
use firewall::Firewall;

use crate::backend::{Backend, Traffic};
use crate::config;
use crate::plan::Plan;
use crate::{apart, ingress, notes};

pub(crate) fn check(call: &CheckCall) -> Result<(), Failure> {
    let config = &call.call.config;
    let settings = config::read(config)?;
    let missing = || ConfigError::MissingPrevResult { verb: Verb::Check };
    let plan = Plan::new(&config.prev_result()?.ok_or_else(missing)?)?;
    if plan.addresses.is_empty() {
        return Ok(());
    }
    let mut firewall = Firewall::new();
    let mut backend = Backend::choose(settings.backend, &mut firewall)?;
    let wanted = ingress::wanted(&settings, &plan)?;
    let in_one_go = ingress::is_by_iptables(&settings);
    let owner = notes::owner(config.name(), &call.attachment);
    let traffic = Traffic {
        settings: &settings,
        owner: &owner,
        addresses: &plan.addresses,
        ingress: wanted.filter(|_| in_one_go),
    };
    backend.check(&mut firewall, &traffic)?;
    apart::check(wanted.as_ref(), &plan)?;
    match wanted.filter(|_| !in_one_go) {
        Some(wanted) => ingress::check(&mut firewall, config.name(), &wanted),
        None => Ok(()),
    }
}
