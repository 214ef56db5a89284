//! Reload: ports that went with a flush are published again.

use cni::{CheckCall, Failure, Reloaded, Verb};
use firewall::{Ensured, Firewall, IptablesOptions, IptablesPublication, Standing};
use netlink::reaper;

use crate::add::refuse_taken;
use crate::config::{Backend, Settings};
use crate::error::StepFault;
use crate::publish::Publish;
use crate::target::Target;

pub(crate) fn reload(call: &CheckCall) -> Result<Reloaded, Failure> {
    let settings = Settings::read(&call.call.config)?;
    if settings.mappings.is_empty() {
        return Ok(Reloaded::AsItWas);
    }
    let result = call.call.config.expect_prev_result(Verb::Check)?;
    let target = Target::find(&result, &call.attachment)?;
    let mappings = target.narrowed(&settings.mappings);
    let by_iptables = |options: &IptablesOptions| {
        Firewall::new().find_iptables_publication(&IptablesPublication {
            network: call.call.config.name(),
            container: &call.attachment.container,
            addresses: &target.addresses,
            mappings: &mappings,
            options,
        })
    };
    let options = match &settings.backend {
        Backend::Iptables(options) => options,
        // The reference may have attached the container, before we took the node over, and its rules may stand.
        Backend::Nftables(_) => &IptablesOptions::default(),
    };
    let stands_by_iptables = by_iptables(options).map_err(StepFault::from)? == Standing::Whole;
    let mut firewall = Firewall::new();
    match &settings.backend {
        Backend::Nftables(_) if stands_by_iptables => return Ok(Reloaded::AsItWas),
        // What the ports need beside their rules may be gone.
        Backend::Iptables(_) if stands_by_iptables => {}
        // While the rules were gone a process may have begun to listen.
        Backend::Nftables(_) | Backend::Iptables(_) => {
            refuse_taken(&mut firewall, &mappings, &call.attachment.container)?;
        }
    }
    let publish = Publish {
        call: &call.call,
        attachment: &call.attachment,
        result: &result,
        target: &target,
        mappings: &mappings,
    };
    let published = undo::attempt(|undo| publish.run(&settings, &mut firewall, undo));
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), link::caller(&call.call));
    Ok(match published? {
        Ensured::Added => Reloaded::PutBack,
        Ensured::AlreadyThere => Reloaded::AsItWas,
    })
}
