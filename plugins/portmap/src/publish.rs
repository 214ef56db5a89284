//! Publishing, for ADD and for a reload alike: the ports first, then what the way to the container needs.

use cni::{Call, Failure, Success};
use firewall::{Ensured, Firewall, IptablesOptions, IptablesPublication, MasqueradeClients, Publication};
use netlink::RouteSocket;
use undo::Undo;
use vocab::{Attachment, InterfaceName, PortMapping};

use crate::config::{Backend, Settings};
use crate::error::StepFault;
use crate::forget;
use crate::reach;
use crate::target::Target;

/// What is published for whom.
pub(crate) struct Publish<'a> {
    pub(crate) call: &'a Call,
    pub(crate) attachment: &'a Attachment,
    /// What the plugins before answered.
    pub(crate) result: &'a Success,
    pub(crate) target: &'a Target,
    pub(crate) mappings: &'a [PortMapping],
}

impl<'a> Publish<'a> {
    /// Publishes all ports or none; tells whether anything had to be done.
    pub(crate) fn run(
        &self,
        settings: &Settings,
        firewall: &mut Firewall,
        undo: &mut Undo<'a>,
    ) -> Result<Ensured, Failure> {
        let mut host = RouteSocket::open().map_err(StepFault::from)?;
        let interface = reach::find_interface(&mut host, self.target, self.attachment)?;
        let (mut ensured, serves_host) = match &settings.backend {
            Backend::Nftables(clients) => {
                let serves_host = *clients != MasqueradeClients::Never;
                (self.by_nftables(&interface, *clients, firewall, undo)?, serves_host)
            }
            Backend::Iptables(options) => (self.by_iptables(options, firewall, undo)?, options.snat),
        };
        if serves_host {
            if let Some(setting) = reach::localhost(&interface, self.target, self.mappings) {
                ensured = ensured.max(reach::ensure_localhost(setting, undo)?);
            }
            let hairpin = reach::ensure_hairpin(&mut host, self.result, undo).map_err(StepFault::from)?;
            ensured = ensured.max(hairpin);
        }
        // What leads to the container already is left alone, so that a reload disturbs nobody.
        forget::others(self.target, self.mappings).map_err(StepFault::from)?;
        Ok(ensured)
    }

    fn by_nftables(
        &self,
        interface: &InterfaceName,
        masquerade: MasqueradeClients,
        firewall: &mut Firewall,
        undo: &mut Undo<'a>,
    ) -> Result<Ensured, StepFault> {
        let attachment = self.attachment;
        let publication = Publication {
            network: self.call.config.name(),
            attachment,
            interface,
            v4: self.target.v4(),
            v6: self.target.v6(),
            mappings: self.mappings,
            masquerade,
        };
        let ensured = firewall.publish(&publication).inspect_err(|error| {
            // The kernel may have done it although its answer was lost. The error that is reported is the first one.
            if let firewall::ports::Error::Publish { .. } = error {
                let _ = Firewall::new().unpublish(attachment);
            }
        })?;
        if ensured == Ensured::Added {
            undo.push(format!("withdraw the ports of {attachment}"), move || {
                Firewall::new().unpublish(attachment).map(drop)
            });
        }
        Ok(ensured)
    }

    fn by_iptables(
        &self,
        options: &IptablesOptions,
        firewall: &mut Firewall,
        undo: &mut Undo<'a>,
    ) -> Result<Ensured, StepFault> {
        let (network, container) = (self.call.config.name(), &self.attachment.container);
        // Before: what was added of one address family stays when the other one's is refused.
        undo.push(format!("withdraw the ports of {}", self.attachment), move || {
            Firewall::new().remove_iptables_publication(network, container).map(drop)
        });
        Ok(firewall.publish_by_iptables(&IptablesPublication {
            network,
            container,
            addresses: &self.target.addresses,
            mappings: self.mappings,
            options,
        })?)
    }
}
