//! Reload: what a flush took of an attachment that stands is put back: masquerade, policy, the check of the MAC address,
//! forwarding.

use cni::{CheckCall, Failure, Reloaded, Success, Verb};
use firewall::{Ensured, Firewall, IptablesMasquerade, Masquerade, Owner, SpoofCheck};
use ipnetwork::IpNetwork;
use link::sysctl::{Outcome, Sysctl};
use link::turn::{self, Matter};
use netlink::RouteSocket;
use vocab::MacAddress;

use crate::config::{self, Gateway, Masquerade as Wanted, Settings};
use crate::error::StepFault;
use crate::{gateway, owner, release};

pub(crate) fn reload(call: &CheckCall) -> Result<Reloaded, Failure> {
    let (settings, _) = config::read(&call.call)?;
    let result = call.call.config.expect_prev_result(Verb::Check)?;
    let _lock = turn::join(&settings.bridge, Matter::Bridge).map_err(StepFault::from)?;
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    let names = owner::host_names(&call.attachment);
    let is_ours = |alias: &str| owner::is_of(alias, &call.attachment);
    // What another program attached is not in our firewall.
    let Some(port) = link::veth::find_owned(&mut host, &names, is_ours).map_err(StepFault::from)? else {
        return Ok(Reloaded::AsItWas);
    };
    let mut firewall = Firewall::new();
    let reload = Reload { call, settings: &settings, result: &result };
    let restored =
        [reload.forward()?, reload.network(&mut firewall)?, reload.container(&mut firewall, &port)?];
    release::close(firewall, link::caller(&call.call));
    Ok(restored.into_iter().max().unwrap_or(Reloaded::AsItWas))
}

struct Reload<'a> {
    call: &'a CheckCall,
    settings: &'a Settings,
    result: &'a Success,
}

impl Reload<'_> {
    fn addresses(&self) -> Vec<IpNetwork> {
        self.result.ips.iter().map(|ip| ip.address).collect()
    }

    fn forward(&self) -> Result<Reloaded, Failure> {
        if self.settings.gateway == Gateway::None {
            return Ok(Reloaded::AsItWas);
        }
        let mut restored = Reloaded::AsItWas;
        let addresses = self.addresses();
        let families = [
            (addresses.iter().any(IpNetwork::is_ipv4), Sysctl::ipv4_forwarding()),
            (addresses.iter().any(IpNetwork::is_ipv6), Sysctl::ipv6_forwarding()),
        ];
        for (is_used, setting) in families {
            if is_used && setting.ensure("1")? == Outcome::Changed {
                restored = Reloaded::PutBack;
            }
        }
        Ok(restored)
    }

    /// What belongs to the network as a whole.
    fn network(&self, firewall: &mut Firewall) -> Result<Reloaded, Failure> {
        let network = self.call.call.config.name();
        let gateway = match self.settings.vlans.access {
            Some(vlan) => gateway::name(&self.settings.bridge, vlan)?,
            None => self.settings.bridge.clone(),
        };
        let mut restored = Reloaded::AsItWas;
        if self.settings.policy.is_said() {
            let policy = self.settings.policy.of(network, &gateway);
            restored = restored.max(told(firewall.ensure_policy(&policy).map_err(StepFault::from)?));
        }
        if self.settings.masquerade == Wanted::Nftables {
            let subnets = self.addresses();
            let masquerade = Masquerade { network, interface: &gateway, subnets: &subnets };
            restored = restored.max(told(firewall.ensure_masquerade(&masquerade).map_err(StepFault::from)?));
        }
        Ok(restored)
    }

    fn container(&self, firewall: &mut Firewall, port: &netlink::Link) -> Result<Reloaded, Failure> {
        let (network, attachment) = (self.call.call.config.name(), &self.call.attachment);
        let mut restored = Reloaded::AsItWas;
        if let Some(mac) = self.mac().filter(|_| self.settings.spoof_check) {
            let owner = Owner::attachment(network, attachment);
            let check = SpoofCheck { interface: port.name.clone(), mac, owner };
            restored = restored.max(told(firewall.ensure_spoof_check(&check).map_err(StepFault::from)?));
        }
        if self.settings.masquerade == Wanted::Iptables {
            let addresses = self.addresses();
            let container = &attachment.container;
            let masquerade = IptablesMasquerade { network, container, addresses: &addresses };
            let ensured = firewall.ensure_iptables_masquerade(&masquerade).map_err(StepFault::from)?;
            restored = restored.max(told(ensured));
        }
        Ok(restored)
    }

    /// The container's link-layer address, as ADD answered it.
    fn mac(&self) -> Option<MacAddress> {
        let name = self.call.attachment.interface.as_str();
        let own = self.result.interfaces.iter();
        let mut own = own.filter(|interface| interface.name == name && !interface.sandbox.is_empty());
        own.next()?.mac.parse().ok()
    }
}

fn told(ensured: Ensured) -> Reloaded {
    match ensured {
        Ensured::Added => Reloaded::PutBack,
        Ensured::AlreadyThere => Reloaded::AsItWas,
    }
}
