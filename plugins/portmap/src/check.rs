//! CHECK: the ports are still as ADD published them. Nothing is changed.

use cni::{CheckCall, Failure, Verb};
use firewall::{Firewall, IptablesOptions, IptablesPublication, MasqueradeClients, Publication, Standing};
use netlink::RouteSocket;
use vocab::PortMapping;

use crate::config::{Backend, Settings};
use crate::error::{Difference, StepFault};
use crate::reach;
use crate::target::Target;

pub(crate) fn check(call: &CheckCall) -> Result<(), Failure> {
    let settings = Settings::read(&call.call.config)?;
    let result = call.call.config.expect_prev_result(Verb::Check)?;
    if settings.mappings.is_empty() {
        return Ok(());
    }
    let target = Target::find(&result, &call.attachment)?;
    let mappings = target.narrowed(&settings.mappings);
    let check = Check { call, target: &target, mappings: &mappings };
    match &settings.backend {
        Backend::Nftables(clients) => check.by_nftables(*clients),
        Backend::Iptables(options) => Ok(check.demand(check.by_iptables(options)?)?),
    }
}

struct Check<'a> {
    call: &'a CheckCall,
    target: &'a Target,
    mappings: &'a [PortMapping],
}

impl Check<'_> {
    fn by_nftables(&self, masquerade: MasqueradeClients) -> Result<(), Failure> {
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
        let standing = Firewall::new().find_publication(&publication).map_err(StepFault::from)?;
        if standing != Standing::Whole {
            // The reference may have attached the container, before we took the node over.
            let by_iptables = self.by_iptables(&IptablesOptions::default());
            return match by_iptables {
                Ok(Standing::Whole) => Ok(()),
                _ => Ok(self.demand(standing)?),
            };
        }
        let setting = reach::localhost(&interface, self.target, self.mappings);
        match setting.filter(|_| masquerade != MasqueradeClients::Never) {
            Some(setting) if setting.read()? != "1" => {
                Ok(Err(self.difference(format!("{} is not 1", setting.path().display())))?)
            }
            _ => Ok(()),
        }
    }

    fn by_iptables(&self, options: &IptablesOptions) -> Result<Standing, StepFault> {
        Ok(Firewall::new().find_iptables_publication(&IptablesPublication {
            network: self.call.call.config.name(),
            container: &self.call.attachment.container,
            addresses: &self.target.addresses,
            mappings: self.mappings,
            options,
        })?)
    }

    fn demand(&self, standing: Standing) -> Result<(), Difference> {
        match standing {
            Standing::Whole => Ok(()),
            Standing::RulesMissing => {
                Err(self.difference("the rules are gone: somebody flushed nftables".to_owned()))
            }
            Standing::Missing(missing) => Err(self.difference(format!("{} is missing", missing.join(", ")))),
        }
    }

    fn difference(&self, found: String) -> Difference {
        Difference { attachment: self.call.attachment.clone(), found }
    }
}
