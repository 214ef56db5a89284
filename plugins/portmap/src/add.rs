//! ADD: all ports, or none; the result of the plugins before goes on unchanged.

use cni::{AddCall, ConfigError, Failure, Success, Verb};
use firewall::{Firewall, IptablesPublication, MasqueradeClients, Publication};
use netlink::RouteSocket;
use netlink::reaper;
use undo::Undo;
use vocab::PortMapping;

use crate::config::{Backend, Settings};
use crate::del;
use crate::error::StepFault;
use crate::forget;
use crate::reach;
use crate::target::Target;

pub(crate) fn add(call: &AddCall) -> Result<Success, Failure> {
    let settings = Settings::read(&call.call.config)?;
    let missing = || ConfigError::MissingPrevResult { verb: Verb::Add };
    let result = call.call.config.prev_result()?.ok_or_else(missing)?;
    if settings.mappings.is_empty() {
        return Ok(result);
    }
    let target = Target::find(&result, &call.attachment)?;
    let mappings = target.narrowed(&settings.mappings);
    let mut firewall = Firewall::new();
    refuse_taken(&mut firewall, &mappings, call)?;
    let add = Add { call, result: &result, target: &target, mappings: &mappings };
    let added = undo::attempt(|undo| match &settings.backend {
        Backend::Nftables(clients) => add.by_nftables(&mut firewall, *clients, undo),
        Backend::Iptables(options) => {
            let publication = IptablesPublication {
                network: call.call.config.name(),
                container: &call.attachment.container,
                addresses: &target.addresses,
                mappings: &mappings,
                options,
            };
            add.by_iptables(&mut firewall, &publication, undo)
        }
    });
    // What was replaced makes the closing of the socket wait.
    reaper::hold_until_closed(firewall.into_socket().into_iter().collect(), del::caller(&call.call));
    added?;
    Ok(result)
}

/// A port that leads to another container by iptables would never get here, and a process that listens would lose its
/// own.
fn refuse_taken(firewall: &mut Firewall, mappings: &[PortMapping], call: &AddCall) -> Result<(), StepFault> {
    match ports::find_holder(firewall, mappings, &call.attachment.container)? {
        None => Ok(()),
        Some((mapping, holder)) => Err(StepFault::Taken { mapping, holder: Box::new(holder) }),
    }
}

/// What an ADD works with.
struct Add<'a> {
    call: &'a AddCall,
    result: &'a Success,
    target: &'a Target,
    mappings: &'a [PortMapping],
}

impl<'a> Add<'a> {
    fn by_nftables(
        &self,
        firewall: &mut Firewall,
        masquerade: MasqueradeClients,
        undo: &mut Undo<'a>,
    ) -> Result<(), Failure> {
        let attachment = &self.call.attachment;
        let mut host = RouteSocket::open().map_err(StepFault::from)?;
        let interface = reach::find_interface(&mut host, self.target, attachment)?;
        let publication = Publication {
            network: self.call.call.config.name(),
            attachment,
            interface: &interface,
            v4: self.target.v4(),
            v6: self.target.v6(),
            mappings: self.mappings,
            masquerade,
        };
        // First of all: whoever has a port already learns of nothing.
        let _ = firewall.publish(&publication).map_err(StepFault::from)?;
        undo.push(format!("withdraw the ports of {attachment}"), || {
            Firewall::new().unpublish(attachment).map(drop)
        });
        if masquerade != MasqueradeClients::Never {
            if let Some(setting) = reach::localhost(&interface, self.target, self.mappings) {
                reach::ensure_localhost(setting, undo)?;
            }
            reach::ensure_hairpin(&mut host, self.result, undo).map_err(StepFault::from)?;
        }
        Ok(forget::others(self.target, self.mappings).map_err(StepFault::from)?)
    }

    fn by_iptables(
        &self,
        firewall: &mut Firewall,
        publication: &IptablesPublication<'_>,
        undo: &mut Undo<'a>,
    ) -> Result<(), Failure> {
        let attachment = &self.call.attachment;
        let mut host = RouteSocket::open().map_err(StepFault::from)?;
        let interface = reach::find_interface(&mut host, self.target, attachment)?;
        let network = self.call.call.config.name();
        undo.push(format!("withdraw the ports of {attachment}"), move || {
            Firewall::new().remove_iptables_publication(network, &attachment.container).map(drop)
        });
        let _ = firewall.publish_by_iptables(publication).map_err(StepFault::from)?;
        if publication.options.snat {
            if let Some(setting) = reach::localhost(&interface, self.target, self.mappings) {
                reach::ensure_localhost(setting, undo)?;
            }
            reach::ensure_hairpin(&mut host, self.result, undo).map_err(StepFault::from)?;
        }
        Ok(forget::others(self.target, self.mappings).map_err(StepFault::from)?)
    }
}
