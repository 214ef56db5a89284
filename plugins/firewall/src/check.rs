//! CHECK: whether the way is still open, and what is in it if it is not.

use cni::{CheckCall, Failure, Verb};
use firewall::Firewall;

use crate::asked::Asked;
use crate::backend::Backend;
use crate::{apart, ingress};

pub(crate) fn check(call: &CheckCall) -> Result<(), Failure> {
    let asked = Asked::read(&call.call.config, &call.attachment, Verb::Check)?;
    if asked.is_empty() {
        return Ok(());
    }
    let mut firewall = Firewall::new();
    let mut backend = Backend::choose(asked.settings.backend, &mut firewall)?;
    let closing = asked.closing()?;
    backend.check(&mut firewall, &asked.traffic(&closing))?;
    apart::check(closing.any.as_ref(), &asked.plan)?;
    match closing.by_table {
        Some(ingress) => ingress::check(&mut firewall, asked.network, &ingress),
        None => Ok(()),
    }
}
