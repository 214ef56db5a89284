//! ADD: all ports, or none; the result of the plugins before goes on unchanged.

use cni::{AddCall, Failure, Success, Verb};
use firewall::Firewall;
use netlink::reaper;
use vocab::{ContainerId, PortMapping};

use crate::config::Settings;
use crate::error::StepFault;
use crate::publish::Publish;
use crate::target::Target;

pub(crate) fn add(call: &AddCall) -> Result<Success, Failure> {
    let settings = Settings::read(&call.call.config)?;
    let result = call.call.config.expect_prev_result(Verb::Add)?;
    if settings.mappings.is_empty() {
        return Ok(result);
    }
    let target = Target::find(&result, &call.attachment)?;
    let mappings = target.narrowed(&settings.mappings);
    let mut firewall = Firewall::new();
    refuse_taken(&mut firewall, &mappings, &call.attachment.container)?;
    let publish = Publish {
        call: &call.call,
        attachment: &call.attachment,
        result: &result,
        target: &target,
        mappings: &mappings,
    };
    let published = undo::attempt(|undo| publish.run(&settings, &mut firewall, undo));
    // What was replaced makes the closing of the socket wait.
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), link::caller(&call.call));
    let _ = published?;
    Ok(result)
}

/// A port that leads to another container by iptables would never get here, and a process that listens would lose its
/// own.
pub(crate) fn refuse_taken(
    firewall: &mut Firewall,
    mappings: &[PortMapping],
    container: &ContainerId,
) -> Result<(), StepFault> {
    match ports::find_holder(firewall, mappings, container)? {
        None => Ok(()),
        Some((mapping, holder)) => Err(StepFault::Taken { mapping, holder: Box::new(holder) }),
    }
}
