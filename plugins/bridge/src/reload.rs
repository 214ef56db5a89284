//! Reload: what somebody took of an attachment that stands is put back: the bridge, its addresses and its port; forwarding;
//! masquerade, policy and the check of the MAC address.

use cni::{CheckCall, Failure, Reloaded, Success, Verb};
use firewall::{Ensured, Firewall, IptablesMasquerade, Masquerade, Owner, SpoofCheck};
use ipnetwork::IpNetwork;
use link::sandbox;
use link::sysctl::{Outcome, Sysctl};
use link::turn::{self, Matter};
use netlink::RouteSocket;

use crate::config::{self, Gateway, Masquerade as Wanted, Settings};
use crate::error::StepFault;
use crate::rewire::Rewire;
use crate::{gateway, owner, release, told};

pub(crate) fn reload(call: &CheckCall) -> Result<Reloaded, Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let result = call.call.config.expect_prev_result(Verb::Check)?;
    let _lock = turn::join(&settings.bridge, Matter::Bridge).map_err(StepFault::from)?;
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    let names = owner::host_names(&call.attachment);
    let is_ours = |alias: &str| owner::is_of(alias, &call.attachment);
    // What another program attached is not ours, and not in our firewall.
    let Some(port) = link::veth::find_owned(&mut host, &names, is_ours).map_err(StepFault::from)? else {
        return Ok(Reloaded::AsItWas);
    };
    let container = sandbox::open(&call.netns, &delegated.environment)?;
    let rewire =
        Rewire { call, delegated: &delegated, settings: &settings, container: &container, result: &result };
    // A wire that cannot be put back, for somebody else's address is in the way, keeps no rule from it.
    let rewired = rewire.run(&mut host, &port);
    let mut firewall = Firewall::new();
    let reload = Reload { call, settings: &settings, result: &result };
    let restored =
        [reload.forward()?, reload.network(&mut firewall)?, reload.container(&mut firewall, &port)?];
    release::close(firewall, link::caller(&call.call));
    Ok(restored.into_iter().fold(rewired?, Reloaded::max))
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
        if self.settings.gateway == Gateway::None || !self.settings.forwarding {
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
            restored = restored.max(outcome(firewall.ensure_policy(&policy).map_err(StepFault::from)?));
        }
        if self.settings.masquerade == Wanted::Nftables {
            let subnets = self.addresses();
            let masquerade = Masquerade { network, interface: &gateway, subnets: &subnets };
            restored =
                restored.max(outcome(firewall.ensure_masquerade(&masquerade).map_err(StepFault::from)?));
        }
        Ok(restored)
    }

    fn container(&self, firewall: &mut Firewall, port: &netlink::Link) -> Result<Reloaded, Failure> {
        let (network, attachment) = (self.call.call.config.name(), &self.call.attachment);
        let mut restored = Reloaded::AsItWas;
        let told = told::mac(told::in_container(self.result, &attachment.interface));
        if let Some(mac) = told.filter(|_| self.settings.spoof_check) {
            let owner = Owner::attachment(network, attachment);
            let check = SpoofCheck { interface: port.name.clone(), mac, owner };
            restored = restored.max(outcome(firewall.ensure_spoof_check(&check).map_err(StepFault::from)?));
        }
        if self.settings.masquerade == Wanted::Iptables {
            let addresses = self.addresses();
            let container = &attachment.container;
            let masquerade = IptablesMasquerade { network, container, addresses: &addresses };
            let ensured = firewall.ensure_iptables_masquerade(&masquerade).map_err(StepFault::from)?;
            restored = restored.max(outcome(ensured));
        }
        Ok(restored)
    }
}

fn outcome(ensured: Ensured) -> Reloaded {
    match ensured {
        Ensured::Added => Reloaded::PutBack,
        Ensured::AlreadyThere => Reloaded::AsItWas,
    }
}
