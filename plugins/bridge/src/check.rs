//! CHECK: the attachment is still as ADD made it. Nothing is changed.

use std::net::IpAddr;
use std::os::fd::AsFd;

use cni::{CheckCall, Failure, Interface, Success, Verb};
use firewall::{Firewall, IptablesMasquerade, Masquerade, Owner, SpoofCheck, Standing};
use ipnetwork::IpNetwork;
use link::bridge::BridgeFacts;
use link::{Alias, sandbox};
use netlink::{Link, LinkName, RouteSocket};
use netns::Netns;

use crate::config::{self, Masquerade as Wanted, Settings};
use crate::error::{Difference, StepFault};
use crate::{gateway, owner, told};

pub(crate) fn check(call: &CheckCall) -> Result<(), Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let result = call.call.config.expect_prev_result(Verb::Check)?;
    if let Some(kind) = &settings.ipam {
        delegated.delegate(kind)?.check()?;
    }
    let container = sandbox::open(&call.netns, &call.call.environment)?;
    let host = RouteSocket::open().map_err(StepFault::from)?;
    Check { call, settings: &settings, result: &result, host }.run(&container)
}

struct Check<'a> {
    call: &'a CheckCall,
    settings: &'a Settings,
    result: &'a Success,
    host: RouteSocket,
}

/// What is in the container.
struct Inside {
    end: Link,
    addresses: Vec<netlink::Address>,
    routes: Vec<netlink::Route>,
}

impl Check<'_> {
    fn run(mut self, container: &Netns) -> Result<(), Failure> {
        let bridge = self.check_bridge()?;
        self.check_gateway(&bridge)?;
        let inside = self.look_inside(container)?;
        self.check_container(&inside)?;
        let port = self.check_port(&bridge, &inside, container)?;
        // What another program attached is not in our firewall.
        let alias = owner::alias(self.call.call.config.name(), &self.call.attachment);
        if alias.is_on(&port) { self.check_firewall(&port, &inside, &alias) } else { Ok(()) }
    }

    fn check_bridge(&mut self) -> Result<BridgeFacts, Failure> {
        let name = &self.settings.bridge;
        let what = format!("bridge {name}");
        let bridge =
            link::bridge::find(&mut self.host, name)?.ok_or_else(|| Difference::new(&what, "it is gone"))?;
        if !bridge.is_up {
            return Err(Difference::new(&what, "it is down").into());
        }
        if bridge.is_promiscuous != self.settings.promiscuous && self.settings.promiscuous {
            return Err(Difference::new(&what, "it is not promiscuous").into());
        }
        match told::on_host(self.result, name) {
            None => Err(Difference::new(&what, "prevResult does not name it").into()),
            Some(told) => Ok(check_mac(&what, told, bridge.mac).map(|()| bridge)?),
        }
    }

    /// The bridge, or what stands for it in a VLAN, has the addresses that the container's routes lead through.
    fn check_gateway(&mut self, bridge: &BridgeFacts) -> Result<(), Failure> {
        let wanted = told::gateways(self.settings, self.result, &self.call.attachment.interface);
        if wanted.is_empty() {
            return Ok(());
        }
        let (name, index) = match self.settings.vlans.access {
            None => (bridge.name.clone(), bridge.index),
            Some(vlan) => {
                let name = gateway::name(&bridge.name, vlan)?;
                let found = self.host.find_link(LinkName::Name(&name)).map_err(StepFault::from)?;
                let found = found.ok_or_else(|| Difference::new(format!("gateway {name}"), "it is gone"))?;
                (name, found.index)
            }
        };
        let addresses = self.host.addresses_of(index).map_err(StepFault::from)?;
        let has = |wanted: &&IpNetwork| addresses.iter().any(|address| address.network == **wanted);
        match wanted.iter().find(|wanted| !has(wanted)) {
            Some(missing) => {
                Err(Difference::new(format!("gateway {name}"), format!("it lacks the address {missing}"))
                    .into())
            }
            None => Ok(()),
        }
    }

    fn look_inside(&self, container: &Netns) -> Result<Inside, Failure> {
        let name = &self.call.attachment.interface;
        let found = container.run(|| {
            let mut socket = RouteSocket::open()?;
            let Some(end) = socket.find_link(LinkName::Name(name))? else { return Ok(None) };
            let addresses = socket.addresses_of(end.index)?;
            let routes = socket.routes_of(end.index)?;
            Ok::<_, netlink::Error>(Some(Inside { end, addresses, routes }))
        });
        let found = found.map_err(StepFault::from)?.map_err(StepFault::from)?;
        Ok(found.ok_or_else(|| Difference::new(self.interface(), "it is gone"))?)
    }

    fn check_container(&self, inside: &Inside) -> Result<(), Failure> {
        let (name, what) = (&self.call.attachment.interface, self.interface());
        let told = told::in_container(self.result, name);
        let told = told.ok_or_else(|| Difference::new(&what, "prevResult does not name it"))?;
        check_mac(&what, told, inside.end.mac)?;
        if !inside.end.is_kind("veth") {
            return Err(Difference::new(&what, "it is no veth").into());
        }
        if !inside.end.is_up && !self.settings.leave_down {
            return Err(Difference::new(&what, "it is down").into());
        }
        self.check_addresses(inside)?;
        self.check_routes(inside)
    }

    fn check_addresses(&self, inside: &Inside) -> Result<(), Failure> {
        for ip in told::ips(self.result, &self.call.attachment.interface) {
            if !inside.addresses.iter().any(|address| address.network == ip.address) {
                return Err(Difference::new(
                    self.interface(),
                    format!("it lacks the address {}", ip.address),
                )
                .into());
            }
        }
        Ok(())
    }

    /// A route of the result must be there with its next hop; a default route by whatever next hop.
    fn check_routes(&self, inside: &Inside) -> Result<(), Failure> {
        for told in &self.result.routes {
            let is_it = |route: &&netlink::Route| {
                route.destination.network() == told.dst.network()
                    && route.destination.prefix() == told.dst.prefix()
            };
            let goes_by = |route: netlink::Route, gateway: IpAddr| {
                route.hops.iter().any(|hop| hop.gateway == Some(gateway))
            };
            let found = inside.routes.iter().filter(is_it).any(|route| match told.gw {
                Some(gateway) if told.dst.prefix() != 0 => goes_by(route.clone(), gateway),
                _ => true,
            });
            if !found {
                return Err(Difference::new(
                    self.interface(),
                    format!("the route to {} is missing", told.dst),
                )
                .into());
            }
        }
        Ok(())
    }

    fn check_port(
        &mut self,
        bridge: &BridgeFacts,
        inside: &Inside,
        container: &Netns,
    ) -> Result<Link, Failure> {
        let what = format!("the host's end of {}", self.call.attachment);
        let port = link::veth::find_host_end(&mut self.host, &inside.end, container.as_fd())
            .map_err(StepFault::from)?;
        let port = port.ok_or_else(|| Difference::new(&what, "it is not on this host"))?;
        let what = format!("{what}, {}", port.name);
        let told = self.result.interfaces.iter().filter(|told| told.sandbox.is_empty());
        let told = told.into_iter().find(|told| told.name == port.name.as_str());
        check_mac(
            &what,
            told.ok_or_else(|| Difference::new(&what, "prevResult does not name it"))?,
            port.mac,
        )?;
        if port.controller != Some(bridge.index) {
            return Err(Difference::new(&what, format!("it is no port of {}", bridge.name)).into());
        }
        if !port.is_up {
            return Err(Difference::new(&what, "it is down").into());
        }
        let flags = port.port.unwrap_or_default();
        // A plugin behind this one may have switched them on: portmap for published ports, firewall for its policy.
        if self.settings.hairpin && !flags.hairpin {
            return Err(Difference::new(&what, "hairpinMode is otherwise").into());
        }
        if self.settings.isolated && !flags.isolated {
            return Err(Difference::new(&what, "portIsolation is otherwise").into());
        }
        Ok(port)
    }

    fn check_firewall(&self, port: &Link, inside: &Inside, alias: &Alias) -> Result<(), Failure> {
        let network = self.call.call.config.name();
        let mut firewall = Firewall::new();
        if let Some(mac) = inside.end.mac.filter(|_| self.settings.spoof_check) {
            let owner = Owner::attachment(network, &self.call.attachment);
            let check = SpoofCheck { interface: port.name.clone(), mac, owner };
            let standing = firewall.find_spoof_check(&check).map_err(StepFault::from)?;
            demand(&standing, &format!("the MAC check of {}", alias.as_str()))?;
        }
        let gateway = match self.settings.vlans.access {
            Some(vlan) => gateway::name(&self.settings.bridge, vlan)?,
            None => self.settings.bridge.clone(),
        };
        if self.settings.policy.is_said() {
            let policy = self.settings.policy.of(network, &gateway);
            let standing = firewall.find_policy(&policy).map_err(StepFault::from)?;
            demand(&standing, &format!("the policy of network {network}"))?;
        }
        if self.settings.masquerade == Wanted::Nftables {
            let subnets: Vec<IpNetwork> = self.result.ips.iter().map(|ip| ip.address).collect();
            let masquerade = Masquerade { network, interface: &gateway, subnets: &subnets };
            let standing = firewall.find_masquerade(&masquerade).map_err(StepFault::from)?;
            demand(&standing, &format!("the masquerade of network {network}"))?;
        }
        if self.settings.masquerade == Wanted::Iptables {
            let container = &self.call.attachment.container;
            let addresses: Vec<IpNetwork> = self.result.ips.iter().map(|ip| ip.address).collect();
            let masquerade = IptablesMasquerade { network, container, addresses: &addresses };
            let standing = firewall.find_iptables_masquerade(&masquerade).map_err(StepFault::from)?;
            demand(&standing, &format!("the masquerade of container {container}"))?;
        }
        Ok(())
    }

    fn interface(&self) -> String {
        format!(
            "interface {} of container {}",
            self.call.attachment.interface, self.call.attachment.container
        )
    }
}

fn check_mac(what: &str, told: &Interface, found: Option<vocab::MacAddress>) -> Result<(), Difference> {
    let found = found.map(|mac| mac.to_string()).unwrap_or_default();
    match told.mac.is_empty() || told.mac.eq_ignore_ascii_case(&found) {
        true => Ok(()),
        false => Err(Difference::new(what, format!("its MAC address is {found}, expected {}", told.mac))),
    }
}

fn demand(standing: &Standing, what: &str) -> Result<(), Difference> {
    match standing {
        Standing::Whole => Ok(()),
        Standing::RulesMissing => Err(Difference::new(what, "the rules are gone: somebody flushed nftables")),
        Standing::Missing(missing) => {
            Err(Difference::new(what, format!("{} is missing", missing.join(", "))))
        }
    }
}
