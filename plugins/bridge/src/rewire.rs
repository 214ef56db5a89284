//! The wires of an attachment that stands: the bridge, its addresses, the container's place on it.
//!
//! The container's own end is left as it is: what is inside is the container's.

use cni::{Call, CheckCall, Failure, Reloaded, Success};
use link::bridge::{BridgeFacts, Keeper, Origin};
use netlink::{Link, LinkName, RouteSocket};
use netns::Netns;

use crate::config::Settings;
use crate::error::StepFault;
use crate::{addresses, gateway, spec, told};

/// What a rewiring works with.
pub(crate) struct Rewire<'a> {
    pub(crate) call: &'a CheckCall,
    /// The call with an `ipam` in it.
    pub(crate) delegated: &'a Call,
    pub(crate) settings: &'a Settings,
    pub(crate) container: &'a Netns,
    /// What ADD answered.
    pub(crate) result: &'a Success,
}

impl Rewire<'_> {
    /// Puts back what is missing on the host's side of `port`. The bridge's lock must be held as by an ADD.
    pub(crate) fn run(&self, host: &mut RouteSocket, port: &Link) -> Result<Reloaded, Failure> {
        // The address is given to a bridge that is made anew only: on one that is there, others may know another.
        let mac = told::mac(told::on_host(self.result, &self.settings.bridge)).filter(|mac| mac.is_unicast());
        let spec = spec::bridge(self.settings, Keeper::Containers, mac);
        let (bridge, origin) = link::bridge::ensure(host, &spec)?;
        let restored = match origin {
            Origin::Existed => Reloaded::AsItWas,
            Origin::Adjusted | Origin::Created => Reloaded::PutBack,
        };
        let connected = link::port::ensure(host, port, bridge.index, &spec::port(self.settings));
        let connected = connected.map_err(StepFault::from)?;
        let restored = restored.max(connected).max(self.give_addresses(host, &bridge)?);
        if restored == Reloaded::PutBack {
            self.settle(host, port, &bridge)?;
        }
        Ok(restored)
    }

    /// As after ADD: packets pass when this is done. The container's end had lost its carrier with ours.
    fn settle(&self, host: &mut RouteSocket, port: &Link, bridge: &BridgeFacts) -> Result<(), Failure> {
        let (container, interface) = (self.container, &self.call.attachment.interface);
        link::sync::settle(host, port.index, Some(bridge.index)).map_err(StepFault::from)?;
        let settled = container.run(|| {
            let mut inside = RouteSocket::open()?;
            match inside.find_link(LinkName::Name(interface))? {
                Some(end) => link::sync::settle(&mut inside, end.index, None).map(drop),
                None => Ok(()),
            }
        });
        Ok(settled.map_err(StepFault::from)?.map_err(StepFault::from)?)
    }

    fn give_addresses(&self, host: &mut RouteSocket, bridge: &BridgeFacts) -> Result<Reloaded, Failure> {
        let wanted = told::gateways(self.settings, self.result, &self.call.attachment.interface);
        if wanted.is_empty() {
            return Ok(Reloaded::AsItWas);
        }
        let (target, restored) = match self.settings.vlans.access {
            Some(vlan) => gateway::reload(host, bridge, vlan, self.settings)?,
            None => (bridge.clone(), Reloaded::AsItWas),
        };
        let changes = addresses::ensure(host, &target, &wanted, (self.settings, self.delegated))?;
        Ok(if changes.is_empty() { restored } else { Reloaded::PutBack })
    }
}
