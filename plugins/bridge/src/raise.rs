//! Raise and lower: the bridge and its addresses are there before the first container, and stay after the last.
//!
//! A raised bridge bears the name of its network (`netctl network NAME`), which DEL and GC respect. One that ADD made is
//! taken over. One that somebody else made, or that another network keeps, is used: it gets the addresses that ADD would
//! give it, and lower leaves it alone completely, addresses included, for nobody knows who relies on it.
//!
//! Whoever is killed at whatever point is helped by the next raise or lower: before a bridge of ours bears a name, it is in
//! a group by which it is known, and one that bears another is either no longer ours to remove or still GC's.
//!
//! What stands for the bridge in a VLAN is left to ADD.

use cni::{Attempts, Call, Failure, Reloaded, StatusCall};
use ipnetwork::IpNetwork;
use link::bridge::{AddressChanges, BridgeFacts, Keeper, Origin, Removal};
use link::turn::{self, Matter};
use netlink::RouteSocket;
use netlink::reaper::Caller;
use undo::Undo;

use crate::config::{self, Settings};
use crate::error::StepFault;
use crate::{addresses, gc, spec};

pub(crate) fn raise(call: &StatusCall) -> Result<Reloaded, Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let addresses = match settings.vlans.access {
        Some(_) => Vec::new(),
        None => addresses::known(&settings, &delegated)?,
    };
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    // An ADD that is making the bridge would put its own mark over ours.
    let _alone = turn::alone(&settings.bridge, Matter::Bridge).map_err(StepFault::from)?;
    let keeper = Keeper::Network(call.call.config.name().clone());
    let raise = Raise { settings: &settings, call: &delegated, keeper: &keeper, addresses: &addresses };
    Ok(undo::attempt(|undo| raise.run(&mut host, undo))?)
}

pub(crate) fn lower(call: &StatusCall) -> Result<(), Failure> {
    let (settings, delegated) = config::read(&call.call)?;
    let mut attempts = Attempts::default();
    let keeper = Keeper::Network(call.call.config.name().clone());
    attempts.note(remove_bridge(&settings, &keeper, link::caller(&call.call)));
    let ipam = settings.ipam.as_deref().and_then(|kind| delegated.registry.find(kind));
    if let Some(ipam) = ipam {
        attempts.note(ipam.lower(&StatusCall { call: delegated }));
    }
    attempts.finish()
}

/// What a raise works with.
struct Raise<'a> {
    settings: &'a Settings,
    call: &'a Call,
    keeper: &'a Keeper,
    addresses: &'a [IpNetwork],
}

impl<'a> Raise<'a> {
    fn run(&self, host: &mut RouteSocket, undo: &mut Undo<'a>) -> Result<Reloaded, Failure> {
        let spec = spec::bridge(self.settings, self.keeper.clone(), None);
        let found = link::bridge::find(host, &spec.name)?;
        // Each reverse stands before its step: the kernel may have done it although its answer was lost.
        if let Some(bridge) = found.filter(|found| !found.is_being_made) {
            let addressed = self.give_addresses(host, &bridge, undo)?;
            let marked = self.take_over(host, &bridge, undo)?;
            // Last, for a bridge that was switched on once is never again quite what it was.
            undo.push(format!("switch bridge {} back", bridge.name), move || {
                link::bridge::restore(&mut RouteSocket::open()?, &bridge)
            });
            let adjusted = match link::bridge::ensure(host, &spec)?.1 {
                Origin::Existed => Reloaded::AsItWas,
                Origin::Adjusted | Origin::Created => Reloaded::PutBack,
            };
            return Ok(addressed.max(marked).max(adjusted));
        }
        let (settings, keeper) = (self.settings, self.keeper);
        undo.push(format!("remove bridge {}", spec.name), move || {
            let mut host = RouteSocket::open()?;
            link::bridge::remove_if_unused(&mut host, &settings.bridge, keeper).map(drop)
        });
        let (bridge, _) = link::bridge::ensure(host, &spec)?;
        self.give_addresses(host, &bridge, undo)?;
        Ok(Reloaded::PutBack)
    }

    fn give_addresses(
        &self,
        host: &mut RouteSocket,
        bridge: &BridgeFacts,
        undo: &mut Undo<'a>,
    ) -> Result<Reloaded, Failure> {
        let (before, wanted) = (link::bridge::list_addresses(host, bridge)?, self.addresses);
        let given = bridge.clone();
        undo.push(format!("take the addresses of {} back", bridge.name), move || {
            let mut host = RouteSocket::open()?;
            let now = link::bridge::list_addresses(&mut host, &given)?;
            let is_new = |address: &&IpNetwork| now.contains(address) && !before.contains(address);
            let added = wanted.iter().filter(is_new).copied().collect();
            let removed = before.iter().filter(|address| !now.contains(address)).copied().collect();
            link::bridge::restore_addresses(&mut host, &given, AddressChanges { added, removed })
        });
        let changes = addresses::ensure(host, bridge, wanted, (self.settings, self.call))?;
        Ok(if changes.is_empty() { Reloaded::AsItWas } else { Reloaded::PutBack })
    }

    /// Makes a bridge the network's that was its containers' only.
    fn take_over(
        &self,
        host: &mut RouteSocket,
        bridge: &BridgeFacts,
        undo: &mut Undo<'a>,
    ) -> Result<Reloaded, Failure> {
        if !bridge.is_kept_by(&Keeper::Containers) {
            return Ok(Reloaded::AsItWas);
        }
        let taken = bridge.clone();
        undo.push(format!("leave bridge {} to its containers", bridge.name), move || {
            link::bridge::hand_over(&mut RouteSocket::open()?, &taken, &Keeper::Containers)
        });
        link::bridge::hand_over(host, bridge, self.keeper)?;
        Ok(Reloaded::PutBack)
    }
}

fn remove_bridge(settings: &Settings, keeper: &Keeper, caller: Caller) -> Result<(), Failure> {
    let name = &settings.bridge;
    let mut host = RouteSocket::open().map_err(StepFault::from)?;
    let _alone = turn::alone(name, Matter::Bridge).map_err(StepFault::from)?;
    gc::remove_gateways(&mut host, name)?;
    match link::bridge::remove_if_unused_detached(&mut host, name, keeper, caller)? {
        Removal::InUse { port } => Err(StepFault::BridgeInUse { bridge: name.clone(), port }.into()),
        Removal::Removed | Removal::Missing | Removal::AnotherS => Ok(()),
    }
}
