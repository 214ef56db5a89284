//! A bridge on the host: found, made, removed.

mod addresses;
mod error;
mod keeper;
mod mac;
mod plan;

use std::path::Path;

use netlink::reaper::{self, Caller};
use netlink::{Batch, Label, Link, LinkName, Replies, RouteSocket};
use nix::errno::Errno;
use vocab::{InterfaceName, MacAddress};

pub use addresses::{AddressChanges, OnConflict, ensure_addresses, list_addresses, restore_addresses};
pub use error::Error;
pub use keeper::{Keeper, OURS, is_ours};
pub use mac::own_mac;

use crate::sysctl::Sysctl;

/// How often another ADD may make the bridge in the same moment, and remove it again, before we give up.
const ATTEMPTS: u32 = 8;
/// `NET_ADDR_SET` (`linux/netdevice.h`): somebody chose the address, and it stays.
const ADDRESS_WAS_SET: &str = "3";

/// What a bridge should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeSpec {
    /// Its name.
    pub name: InterfaceName,
    /// Its MTU, when it is made; otherwise the kernel's choice.
    pub mtu: Option<u32>,
    /// Whether it takes every packet it sees.
    pub promiscuous: bool,
    /// Whether it minds VLANs.
    pub vlan_filtering: bool,
    /// Its MAC address, when it is made; otherwise [its own](own_mac). A bridge that was given none takes the lowest of
    /// its ports': it would change when containers come and go, and every neighbour would send to the old one for a
    /// while.
    pub mac: Option<MacAddress>,
    /// Who keeps it, when it is made.
    pub keeper: Keeper,
}

/// What a bridge is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeFacts {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: InterfaceName,
    /// Its MAC address.
    pub mac: Option<MacAddress>,
    /// Its MTU.
    pub mtu: u32,
    /// It is switched on.
    pub is_up: bool,
    /// It takes every packet it sees.
    pub is_promiscuous: bool,
    /// Whether it minds VLANs; nothing, if this kernel's bridges cannot.
    pub vlan_filtering: Option<bool>,
    /// Whose it is.
    pub alias: Option<String>,
    /// Somebody of us is making it, or was killed meanwhile.
    pub is_being_made: bool,
}

impl BridgeFacts {
    /// Whether we made it, whoever keeps it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.is_being_made || self.alias.as_deref().is_some_and(keeper::is_ours)
    }

    /// Whether we made it, and `keeper` keeps it.
    #[must_use]
    pub fn is_kept_by(&self, keeper: &Keeper) -> bool {
        self.alias.as_deref() == Some(keeper.alias().as_str())
    }
}

/// Where a bridge came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there.
    Existed,
    /// It was there, and had to be changed.
    Adjusted,
    /// It was made.
    Created,
}

/// What [`remove_if_unused`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone now.
    Removed,
    /// There was none.
    Missing,
    /// It has a port.
    InUse {
        /// The first of them.
        port: InterfaceName,
    },
    /// Somebody else made it, or keeps it.
    AnotherS,
}

/// Looks for the bridge of that name.
///
/// # Errors
/// [`Error::NotABridge`], when the name is that of another kind of link.
pub fn find(socket: &mut RouteSocket, name: &InterfaceName) -> Result<Option<BridgeFacts>, Error> {
    socket.find_link(LinkName::Name(name))?.map(facts).transpose()
}

/// Sees to it that the bridge is there, is up and is as `spec` wants it. The MTU, the MAC address and the keeper of a
/// bridge that exists are left alone.
///
/// One request, when it exists and is right.
///
/// # Errors
/// [`Error::NotABridge`], [`Error::NoVlanFiltering`], or what the kernel says. A bridge that was made is removed
/// again then.
pub fn ensure(socket: &mut RouteSocket, spec: &BridgeSpec) -> Result<(BridgeFacts, Origin), Error> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = find(socket, &spec.name)? {
            match adjust(socket, spec, found) {
                // It was removed under our hands.
                Err(Error::Netlink(error)) if error.is_missing() => continue,
                other => return other,
            }
        }
        match create(socket, spec) {
            // Another ADD was quicker, and its bridge is as good as ours.
            Err(Error::Netlink(error)) if error.is_exists() => {}
            other => return Ok((other?, Origin::Created)),
        }
    }
    Err(Error::Unsteady { name: spec.name.clone(), attempts: ATTEMPTS })
}

/// Makes a bridge what it was `before`: up or down, promiscuous or not, minding VLANs or not.
///
/// # Errors
/// What the kernel says.
pub fn restore(socket: &mut RouteSocket, before: &BridgeFacts) -> Result<(), Error> {
    let Some(now) = find(socket, &before.name)?.filter(|now| now.index == before.index) else {
        return Ok(());
    };
    let batch = plan::restore(before, &now);
    if !batch.is_empty() {
        socket.run(batch)?;
    }
    Ok(())
}

/// Says on a bridge that we made who keeps it from now on.
///
/// # Errors
/// What the kernel says.
pub fn hand_over(socket: &mut RouteSocket, bridge: &BridgeFacts, keeper: &Keeper) -> Result<(), Error> {
    socket.run(plan::hand_over(bridge, keeper))?;
    Ok(())
}

/// Removes a bridge that has no port any more, if we made it and `keeper` keeps it, or its containers, of which there is
/// none.
///
/// The kernel removes a bridge with ports as readily: the caller must see to it that no ADD joins it meanwhile. One that
/// is being made is then what somebody left who was killed, and goes, too.
///
/// # Errors
/// What the kernel says.
pub fn remove_if_unused(
    socket: &mut RouteSocket,
    name: &InterfaceName,
    keeper: &Keeper,
) -> Result<Removal, Error> {
    remove(socket, name, keeper, |socket, bridge| Ok(socket.remove_links(&[bridge.index])?))
}

/// The same, without waiting for what the kernel does after the bridge is out of its lists: a child of the caller's does.
///
/// # Errors
/// As with [`remove_if_unused`]; [`Error::Reaper`] when the child cannot do its work.
pub fn remove_if_unused_detached(
    socket: &mut RouteSocket,
    name: &InterfaceName,
    keeper: &Keeper,
    caller: Caller,
) -> Result<Removal, Error> {
    let detached = |_: &mut RouteSocket, bridge: &BridgeFacts| {
        Ok(reaper::remove_link_detached(bridge.index, &bridge.name, Vec::new(), caller)?)
    };
    remove(socket, name, keeper, detached)
}

fn remove(
    socket: &mut RouteSocket,
    name: &InterfaceName,
    keeper: &Keeper,
    how: impl FnOnce(&mut RouteSocket, &BridgeFacts) -> Result<(), Error>,
) -> Result<Removal, Error> {
    let Some(bridge) = find(socket, name)? else { return Ok(Removal::Missing) };
    let is_kept = |keeper| bridge.is_kept_by(keeper);
    if !bridge.is_being_made && !is_kept(keeper) && !is_kept(&Keeper::Containers) {
        return Ok(Removal::AnotherS);
    }
    if let Some(port) = find_port(socket, &bridge, |_| true)? {
        return Ok(Removal::InUse { port: port.name });
    }
    how(socket, &bridge)?;
    Ok(Removal::Removed)
}

/// The first port of `bridge` that `wanted` accepts; no port after it is looked at.
///
/// # Errors
/// What the kernel says.
pub fn find_port(
    socket: &mut RouteSocket,
    bridge: &BridgeFacts,
    wanted: impl FnMut(&Link) -> bool,
) -> Result<Option<Link>, Error> {
    Ok(socket.find_first_link(Some(bridge.index), wanted)?)
}

fn facts(link: Link) -> Result<BridgeFacts, Error> {
    match link.bridge {
        Some(bridge) => Ok(BridgeFacts {
            index: link.index,
            name: link.name,
            mac: link.mac,
            mtu: link.mtu,
            is_up: link.is_up,
            is_promiscuous: link.is_promiscuous,
            vlan_filtering: bridge.vlan_filtering,
            is_being_made: link.alias.is_none() && link.group == keeper::BEING_MADE,
            alias: link.alias,
        }),
        None => Err(Error::NotABridge { name: link.name, kind: link.kind }),
    }
}

fn adjust(
    socket: &mut RouteSocket,
    spec: &BridgeSpec,
    found: BridgeFacts,
) -> Result<(BridgeFacts, Origin), Error> {
    let (found, origin) = match found.is_being_made {
        // Whoever is making it does the same, or was killed.
        true => (finish(socket, spec, found.index)?, Origin::Adjusted),
        false => (found, Origin::Existed),
    };
    let pin = !found.is_ours() && takes_its_ports_mac(&spec.name);
    let mut batch = plan::adjust(spec, &found, pin);
    if batch.is_empty() {
        return Ok((found, origin));
    }
    let ticket = batch.find(LinkName::Index(found.index));
    let link = run(socket, spec, batch)?.take_link(ticket);
    let adjusted = facts(link.ok_or_else(|| no_answer(spec))?)?;
    require_vlan_filtering(spec, &adjusted)?;
    Ok((adjusted, Origin::Adjusted))
}

/// Whether the bridge's MAC address is one that it was never given, and loses to a lower one of a new port. Only
/// sysfs knows; a bridge that sysfs does not show is left alone.
fn takes_its_ports_mac(name: &InterfaceName) -> bool {
    let path = Path::new("/sys/class/net").join(name.as_str()).join("addr_assign_type");
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() != ADDRESS_WAS_SET)
}

fn create(socket: &mut RouteSocket, spec: &BridgeSpec) -> Result<BridgeFacts, Error> {
    let mac = spec.mac.map_or_else(|| own_mac(&spec.name), Ok)?;
    let index = make(socket, spec, mac)?;
    let made = finish(socket, spec, index);
    made.and_then(|made| require_vlan_filtering(spec, &made).map(|()| made)).inspect_err(|_| {
        // The error that is reported is the first one.
        let _ = socket.remove_links(&[index]);
    })
}

/// Makes the bridge, which is nobody's yet; its number.
fn make(socket: &mut RouteSocket, spec: &BridgeSpec, mac: MacAddress) -> Result<u32, Error> {
    let mut batch = Batch::new();
    let ticket = batch.create_link(Label::new("create bridge", &spec.name), &plan::create(spec, mac));
    let mut replies = socket.run_each(batch).inspect_err(|_| remove_unheard(&spec.name))?;
    if let Some(refused) = replies.refused(ticket) {
        return Err(explain(spec, refused.clone().into()));
    }
    let made = match replies.take_link(ticket) {
        Some(made) => made,
        None => socket.expect_link(LinkName::Name(&spec.name)).inspect_err(|_| remove_unheard(&spec.name))?,
    };
    Ok(made.index)
}

/// Removes a bridge that may have been made although the answer was lost. One that somebody has finished stays.
fn remove_unheard(name: &InterfaceName) {
    // The error that is reported is the first one.
    let _ = RouteSocket::open().map_err(Error::from).and_then(|mut host| match find(&mut host, name)? {
        Some(bridge) if bridge.is_being_made => Ok(host.remove_links(&[bridge.index])?),
        _ => Ok(()),
    });
}

/// Does what can only be done once the bridge is there.
fn finish(socket: &mut RouteSocket, spec: &BridgeSpec, index: u32) -> Result<BridgeFacts, Error> {
    // Before it is up: a container that sends router advertisements must not give the host a route.
    Sysctl::ipv6_conf(&spec.name, "accept_ra").ensure_if_there("0")?;
    let mut batch = plan::finish(spec, index);
    let ticket = batch.find(LinkName::Index(index));
    let link = socket.run(batch)?.take_link(ticket);
    facts(link.ok_or_else(|| no_answer(spec))?)
}

fn run(socket: &mut RouteSocket, spec: &BridgeSpec, batch: Batch) -> Result<Replies, Error> {
    socket.run(batch).map_err(|error| explain(spec, error))
}

fn explain(spec: &BridgeSpec, error: netlink::Error) -> Error {
    match error.errno() {
        Some(Errno::EOPNOTSUPP) if spec.vlan_filtering => Error::NoVlanFiltering { name: spec.name.clone() },
        _ => error.into(),
    }
}

/// Some kernels whose bridges mind no VLANs do not refuse to be told so, but ignore it.
fn require_vlan_filtering(spec: &BridgeSpec, bridge: &BridgeFacts) -> Result<(), Error> {
    match bridge.vlan_filtering {
        None | Some(false) if spec.vlan_filtering => Err(Error::NoVlanFiltering { name: spec.name.clone() }),
        _ => Ok(()),
    }
}

fn no_answer(spec: &BridgeSpec) -> Error {
    netlink::Error::Malformed { label: Label::new("find bridge", &spec.name), lacks: "a link" }.into()
}
