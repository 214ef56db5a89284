//! ADD: everything, or nothing.

use cni::{AddCall, Call, Delegate, Failure, Interface, Success};
use firewall::{Firewall, IptablesMasquerade, Masquerade, Owner, SpoofCheck};
use ipnetwork::IpNetwork;
use link::bridge::{BridgeFacts, Keeper, Origin};
use link::container::{Configured, ContainerSpec, Duplicates, State};
use link::sandbox;
use link::sysctl::Sysctl;
use link::turn::{self, Matter};
use link::veth::{Veth, VethSpec};
use netlink::RouteSocket;
use netns::Netns;
use std::os::fd::AsFd;
use undo::Undo;
use vocab::{Attachment, InterfaceName};

use crate::config::{self, Masquerade as Wanted, Settings};
use crate::error::StepFault;
use crate::plan::Plan;
use crate::{addresses, gateway, owner, release, spec};

pub(crate) fn add(call: &AddCall) -> Result<Success, Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let container = sandbox::open(&call.netns, &delegated.environment)?;
    let host = RouteSocket::open().map_err(StepFault::from)?;
    let add =
        Add { settings: &settings, call: &delegated, attachment: &call.attachment, container: &container };
    let sandbox = call.netns.to_string_lossy().into_owned();
    Ok(undo::attempt(|undo| add.run(host, sandbox, undo))?)
}

/// What an ADD works with.
struct Add<'a> {
    settings: &'a Settings,
    call: &'a Call,
    attachment: &'a Attachment,
    container: &'a Netns,
}

impl<'a> Add<'a> {
    fn run(&self, mut host: RouteSocket, sandbox: String, undo: &mut Undo<'a>) -> Result<Success, Failure> {
        let _lock = turn::join(&self.settings.bridge, Matter::Bridge).map_err(StepFault::from)?;
        self.promise_to_end_network(undo);
        let bridge = self.ensure_bridge(&mut host, undo)?;
        let lease = self.lease(&mut host, undo)?;
        let plan = Plan::new(self.settings, &lease, self.attachment);
        let gateway = self.ensure_gateway(&mut host, &bridge, &plan, undo)?;
        let veth = self.connect(&mut host, &bridge, &plan, undo)?;
        let (mut inside, configured) = self.configure(&veth, &plan)?;
        self.forward(&plan)?;
        self.protect(&veth, &plan, gateway.as_ref().map_or(&bridge.name, |gateway| &gateway.name), undo)?;
        // What was wired up forwards now, so that the container's first packet arrives. The IPv6 addresses
        // become usable meanwhile.
        link::sync::settle(&mut host, veth.host_index, Some(bridge.index)).map_err(StepFault::from)?;
        configured.wait(&mut inside)?;
        Ok(self.answer(lease, plan, &bridge, &veth, sandbox, gateway.as_ref()))
    }

    /// Should this ADD fail, the network may be empty, and a DEL that saw this ADD under way has left what belongs to it.
    fn promise_to_end_network(&self, undo: &mut Undo<'a>) {
        if !release::has_elements(self.settings) {
            return;
        }
        let (network, bridge) = (self.call.config.name(), &self.settings.bridge);
        undo.push(format!("end masquerade and policy of {network}"), move || {
            // Nobody is leaving: by now this ADD's own link is gone. One that is there belongs to another ADD of the
            // same container, which was quicker.
            let mut host = RouteSocket::open()?;
            release::network(&mut Firewall::new(), &mut host, network, bridge, None).map(drop)
        });
    }

    fn ensure_bridge(&self, host: &mut RouteSocket, undo: &mut Undo<'a>) -> Result<BridgeFacts, Failure> {
        let settings = self.settings;
        let spec = spec::bridge(settings, Keeper::Containers, None);
        let (bridge, origin) = link::bridge::ensure(host, &spec)?;
        if origin == Origin::Created {
            let caller = link::caller(self.call);
            undo.push(format!("remove bridge {}", bridge.name), move || {
                release::bridge(&settings.bridge, caller)
            });
        }
        Ok(bridge)
    }

    fn lease(&self, host: &mut RouteSocket, undo: &mut Undo<'a>) -> Result<Success, Failure> {
        let Some(kind) = &self.settings.ipam else { return Ok(Success::default()) };
        let delegate = self.call.delegate(kind)?;
        let lease = match delegate.add() {
            Ok(lease) => lease,
            Err(error) => {
                self.give_up(&delegate, host);
                return Err(error.into());
            }
        };
        undo.push(format!("release the lease of {}", self.attachment), move || delegate.del());
        match lease.ips.is_empty() {
            true => Err(StepFault::NoAddress { kind: kind.clone() }.into()),
            false => Ok(lease),
        }
    }

    /// An IPAM plugin that failed half way may have leased something (CNI spec, section 4: the caller should
    /// call DEL). Ours leases all or nothing; and when the attachment exists, the lease is that of a running
    /// container, and this ADD was a mistake.
    fn give_up(&self, delegate: &Delegate, host: &mut RouteSocket) {
        let names = owner::host_names(self.attachment);
        let is_ours = |alias: &str| owner::is_of(alias, self.attachment);
        let is_attached = link::veth::find_owned(host, &names, is_ours).is_ok_and(|link| link.is_some());
        if !delegate.is_in_process() && !is_attached {
            // The error that is reported is the first one.
            let _ = delegate.del();
        }
    }

    /// Gives the bridge its addresses; with a VLAN, the interface that stands for the bridge in it.
    fn ensure_gateway(
        &self,
        host: &mut RouteSocket,
        bridge: &BridgeFacts,
        plan: &Plan,
        undo: &mut Undo<'a>,
    ) -> Result<Option<BridgeFacts>, Failure> {
        if plan.bridge_addresses.is_empty() {
            return Ok(None);
        }
        let gateway = match self.settings.vlans.access {
            Some(vlan) => Some(gateway::ensure(host, bridge, vlan, self.settings, undo)?),
            None => None,
        };
        let target = gateway.as_ref().unwrap_or(bridge);
        let changes = addresses::ensure(host, target, &plan.bridge_addresses, (self.settings, self.call))?;
        if !changes.is_empty() {
            let target = target.clone();
            undo.push(format!("take the addresses of {} back", target.name), move || {
                release::addresses(&target, changes)
            });
        }
        Ok(gateway)
    }

    fn connect(
        &self,
        host: &mut RouteSocket,
        bridge: &BridgeFacts,
        plan: &Plan,
        undo: &mut Undo<'a>,
    ) -> Result<Veth, Failure> {
        let spec = VethSpec {
            host_names: &owner::host_names(self.attachment),
            host_mac: self.attachment.host_mac(),
            container_name: &self.attachment.interface,
            container_mac: plan.mac,
            mtu: self.settings.mtu,
            bridge: Some(bridge.index),
            port: &spec::port(self.settings),
            container_ns: self.container.as_fd(),
            alias: &owner::alias(self.call.config.name(), self.attachment),
        };
        let veth = link::veth::create(host, &spec)?;
        let index = veth.host_index;
        undo.push(format!("remove link {}", veth.host_name), move || release::link(index));
        Ok(veth)
    }

    /// Configures the container's end from inside its namespace; the socket that comes back stays there.
    fn configure(&self, veth: &Veth, plan: &Plan) -> Result<(RouteSocket, Configured), Failure> {
        let spec = ContainerSpec {
            index: veth.container_index,
            name: self.attachment.interface.clone(),
            state: if self.settings.leave_down { State::Down } else { State::Up },
            ips: plan.ips.clone(),
            routes: plan.routes.clone(),
            duplicates: if self.settings.duplicate_detection {
                Duplicates::Detect
            } else {
                Duplicates::Trust
            },
        };
        let configure = || {
            let mut socket = RouteSocket::open().map_err(link::container::Error::from)?;
            let configured = link::container::configure(&mut socket, &spec)?;
            Ok::<_, link::container::Error>((socket, configured))
        };
        let configured = match self.call.registry.serves_one_call() {
            true => self.container.visit(configure),
            false => self.container.run(configure),
        };
        Ok(configured.map_err(StepFault::from)??)
    }

    /// Switches forwarding on where the bridge is a gateway. It is the host's, and stays on.
    fn forward(&self, plan: &Plan) -> Result<(), Failure> {
        if !self.settings.forwarding {
            return Ok(());
        }
        if plan.bridge_addresses.iter().any(IpNetwork::is_ipv4) {
            Sysctl::ipv4_forwarding().ensure("1")?;
        }
        if plan.bridge_addresses.iter().any(IpNetwork::is_ipv6) {
            Sysctl::ipv6_forwarding().ensure("1")?;
        }
        Ok(())
    }

    /// Puts the elements of the firewall in place: those of the network, two for a checked container.
    fn protect(
        &self,
        veth: &Veth,
        plan: &Plan,
        gateway: &InterfaceName,
        undo: &mut Undo<'a>,
    ) -> Result<(), Failure> {
        let network = self.call.config.name();
        let mut firewall = Firewall::new();
        if self.settings.spoof_check {
            let check = SpoofCheck {
                interface: veth.host_name.clone(),
                mac: plan.mac,
                owner: Owner::attachment(network, self.attachment),
            };
            let port = veth.host_name.clone();
            undo.push(format!("end the MAC check of {port}"), move || release::spoof_check(&port));
            let _ = firewall.ensure_spoof_check(&check).map_err(StepFault::from)?;
        }
        if self.settings.policy.is_said() {
            let policy = self.settings.policy.of(network, gateway);
            let _ = firewall.ensure_policy(&policy).map_err(StepFault::from)?;
        }
        match self.settings.masquerade {
            Wanted::Nftables if !plan.masqueraded.is_empty() => {
                let masquerade = Masquerade { network, interface: gateway, subnets: &plan.masqueraded };
                let _ = firewall.ensure_masquerade(&masquerade).map_err(StepFault::from)?;
            }
            Wanted::Iptables => {
                let container = &self.attachment.container;
                undo.push(format!("end the masquerade of {container}"), move || {
                    release::iptables(&mut Firewall::new(), network, container, &[])
                });
                let addresses: Vec<IpNetwork> = plan.ips.iter().map(|ip| ip.address).collect();
                let masquerade = IptablesMasquerade { network, container, addresses: &addresses };
                let _ = firewall.ensure_iptables_masquerade(&masquerade).map_err(StepFault::from)?;
            }
            Wanted::Nftables | Wanted::No => {}
        }
        release::close(firewall, link::caller(self.call));
        Ok(())
    }

    fn answer(
        &self,
        lease: Success,
        plan: Plan,
        bridge: &BridgeFacts,
        veth: &Veth,
        sandbox: String,
        gateway: Option<&BridgeFacts>,
    ) -> Success {
        let mac = |bridge: &BridgeFacts| bridge.mac.map(|mac| mac.to_string()).unwrap_or_default();
        let on_host = |name: &InterfaceName, mac: String| Interface {
            name: name.to_string(),
            mac,
            ..Interface::default()
        };
        let container = Interface { sandbox, ..on_host(&self.attachment.interface, plan.mac.to_string()) };
        let mut interfaces = vec![
            on_host(&bridge.name, mac(bridge)),
            on_host(&veth.host_name, self.attachment.host_mac().to_string()),
            container,
        ];
        interfaces.extend(gateway.map(|gateway| on_host(&gateway.name, mac(gateway))));
        Success {
            interfaces,
            ips: plan.ips,
            routes: plan.routes,
            dns: self.settings.dns.clone().unwrap_or(lease.dns),
        }
    }
}
