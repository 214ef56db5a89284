//! A veth pair between the host and a container.

mod error;
mod find;
mod plan;

use std::os::fd::BorrowedFd;

use netlink::{Batch, Label, Link, LinkName, Refused, RouteSocket};
use nix::errno::Errno;
use vocab::{InterfaceName, MacAddress};

pub use error::Error;
pub use find::{find_host_end, find_owned};

use crate::Alias;
use crate::port::PortSpec;

/// The group of the host's end of every pair that we make: `ip link show group 1852012032` lists them.
pub const GROUP: u32 = 0x6e63_7600;

/// How often each name is tried: it may be a leftover's, or a link's that is gone when we look whose it is.
const ATTEMPTS: usize = 3;

/// What a pair should be.
#[derive(Debug, Clone)]
pub struct VethSpec<'a> {
    /// Names for the host's end, the preferred one first: a name that a stranger has is passed over.
    pub host_names: &'a [InterfaceName],
    /// The MAC address of the host's end.
    pub host_mac: MacAddress,
    /// The name of the container's end.
    pub container_name: &'a InterfaceName,
    /// The MAC address of the container's end.
    pub container_mac: MacAddress,
    /// The MTU of both ends; otherwise the kernel's choice.
    pub mtu: Option<u32>,
    /// The number of the bridge that the host's end is a port of.
    pub bridge: Option<u32>,
    /// What it is as a port.
    pub port: &'a PortSpec,
    /// The namespace of the container.
    pub container_ns: BorrowedFd<'a>,
    /// Whose pair it is.
    pub alias: &'a Alias,
}

/// A pair that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veth {
    /// The name of the host's end.
    pub host_name: InterfaceName,
    /// The number of the host's end.
    pub host_index: u32,
    /// The number of the container's end, in the container's namespace.
    pub container_index: u32,
    /// The MTU of both ends.
    pub mtu: u32,
}

/// Makes a pair with one request: both ends with their final names and addresses, the container's born where it
/// belongs, the host's up and a port of the bridge. (Moving or renaming an end later costs 25 ms.) A second request
/// marks the host's end as `spec.alias`'s and sets its port flags: by number, for had the first failed because the
/// name is taken, a request by name would change a stranger's link.
///
/// # Errors
/// See [`Error`]; nothing is left behind then.
pub fn create(host: &mut RouteSocket, spec: &VethSpec<'_>) -> Result<Veth, Error> {
    for name in spec.host_names {
        for _ in 0..ATTEMPTS {
            let refused = match create_named(host, spec, name)? {
                Ok(veth) => return finish(host, spec, veth),
                Err(refused) => refused,
            };
            match why_refused(host, spec, name, refused)? {
                Taken::ByOurLeftover(index) => host.remove_links(&[index])?,
                Taken::ByStranger => break,
                Taken::NoMore => {}
            }
        }
    }
    Err(Error::NamesTaken { tried: spec.host_names.to_vec() })
}

/// Who has the name that a pair could not be made with.
enum Taken {
    /// An earlier attempt of the same attachment, that was interrupted.
    ByOurLeftover(u32),
    ByStranger,
    /// Nobody any more.
    NoMore,
}

fn create_named(
    host: &mut RouteSocket,
    spec: &VethSpec<'_>,
    name: &InterfaceName,
) -> Result<Result<Veth, Refused>, Error> {
    let mut batch = Batch::new();
    let ticket = batch.create_link(Label::new("create veth", name), &plan::pair(spec, name));
    let mut replies = host.run_each(batch).inspect_err(|_| remove_unheard(name))?;
    if let Some(refused) = replies.refused(ticket) {
        return Ok(Err(refused.clone()));
    }
    let made = match replies.take_link(ticket) {
        Some(link) => link,
        None => host.expect_link(LinkName::Name(name)).inspect_err(|_| remove_unheard(name))?,
    };
    let lacks = |lacks| netlink::Error::Malformed { label: Label::new("create veth", name), lacks };
    let Link { index: host_index, mtu, peer: Some(container_index), .. } = made else {
        let _ = host.remove_links(&[made.index]);
        return Err(lacks("the number of the container's end").into());
    };
    Ok(Ok(Veth { host_name: name.clone(), host_index, container_index, mtu }))
}

/// Removes a pair that may have been made although the answer was lost. A pair that is in use bears its alias, and
/// stays.
fn remove_unheard(name: &InterfaceName) {
    // The error that is reported is the first one.
    let _ = RouteSocket::open().and_then(|mut host| match host.find_link(LinkName::Name(name))? {
        Some(link) if link.group == GROUP && link.alias.is_none() => host.remove_links(&[link.index]),
        _ => Ok(()),
    });
}

fn finish(host: &mut RouteSocket, spec: &VethSpec<'_>, veth: Veth) -> Result<Veth, Error> {
    match host.run(plan::finish(spec, &veth)) {
        Ok(_) => Ok(veth),
        Err(error) => {
            // The error that is reported is the first one.
            let _ = host.remove_links(&[veth.host_index]);
            match error.errno() {
                Some(Errno::EOPNOTSUPP) if spec.port.vlans.is_some() => {
                    Err(Error::NoVlanFiltering { port: veth.host_name })
                }
                _ => Err(error.into()),
            }
        }
    }
}

/// Turns the kernel's few words into the cause; or, if a name was in the way, tells whose it is.
fn why_refused(
    host: &mut RouteSocket,
    spec: &VethSpec<'_>,
    name: &InterfaceName,
    refused: Refused,
) -> Result<Taken, Error> {
    match refused.errno {
        Errno::EEXIST => whose_name(host, spec, name),
        Errno::EXFULL => Err(Error::BridgeFull { port: name.clone() }),
        Errno::EINVAL | Errno::ENODEV => match spec.bridge {
            Some(bridge) if host.find_link(LinkName::Index(bridge))?.is_none() => {
                Err(Error::BridgeGone { port: name.clone() })
            }
            _ => Err(netlink::Error::from(refused).into()),
        },
        _ => Err(netlink::Error::from(refused).into()),
    }
}

/// The kernel says `EEXIST` of either end's name. The container's is looked at first: a link there is a running
/// attachment, even if the host's end has our alias.
fn whose_name(host: &mut RouteSocket, spec: &VethSpec<'_>, name: &InterfaceName) -> Result<Taken, Error> {
    let nsid = host.ensure_nsid(spec.container_ns)?;
    if host.find_link_in(nsid, LinkName::Name(spec.container_name))?.is_some() {
        return Err(Error::ContainerInterfaceExists { name: spec.container_name.clone() });
    }
    Ok(match host.find_link(LinkName::Name(name))? {
        Some(link) if find::is_owned(&link, spec.alias) => Taken::ByOurLeftover(link.index),
        Some(_) => Taken::ByStranger,
        None => Taken::NoMore,
    })
}
