//! The CNI plugin `loopback`: brings `lo` up.
//!
//! It works on `lo` whatever `CNI_IFNAME` says, as the reference does. containerd calls it for every pod, at the
//! same time as the pod's real network.

use std::path::Path;

use cni::{
    About, AddCall, CheckCall, Code, DelCall, Environment, Failure, Fault, GcCall, Interface, Ip, Plugin,
    StatusCall, Success, Version,
};
use ipnetwork::IpNetwork;
use link::loopback::{self, Loopback as Facts};
use link::sandbox;
use netlink::{Address, RouteSocket};
use netns::Netns;

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Loopback;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    #[error(transparent)]
    Netns(#[from] netns::Error),
    #[error("use lo: it has the address {address}, which is no loopback address")]
    Stranger { address: IpNetwork },
    #[error("check lo: it is down")]
    Down,
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Netlink(error) => link::code_of(error),
            Self::Down => Code::PLUGIN,
            Self::Netns(_) | Self::Stranger { .. } => Code::INTERNAL,
        }
    }
}

impl Plugin for Loopback {
    fn about(&self) -> About {
        About {
            name: "loopback",
            purpose: "brings a container's loopback interface up",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        let earlier = call.call.config.prev_result()?;
        let facts = inside(&open(&call.netns, &call.call.environment)?, loopback::ensure_up)?;
        refuse_strangers(&facts)?;
        Ok(earlier.unwrap_or_else(|| answer(&facts, &call.netns)))
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        call.call.config.prev_result()?;
        let facts = inside(&open(&call.netns, &call.call.environment)?, loopback::find)?;
        if facts.link.is_up { Ok(()) } else { Err(Error::Down.into()) }
    }

    fn del(&self, call: &DelCall) -> Result<(), Failure> {
        let Some(container) = sandbox::open_if_there(call.netns.as_deref(), &call.call.environment)? else {
            return Ok(());
        };
        Ok(inside(&container, loopback::ensure_down)?)
    }

    fn gc(&self, _: &GcCall) -> Result<(), Failure> {
        // What it makes goes with the container's namespace.
        Ok(())
    }

    fn status(&self, _: &StatusCall) -> Result<(), Failure> {
        Ok(())
    }
}

fn open(path: &Path, environment: &Environment) -> Result<Netns, sandbox::Error> {
    sandbox::open(path, environment)
}

/// Does something with a socket of the container's, on a thread in its namespace.
fn inside<T: Send>(
    container: &Netns,
    job: impl FnOnce(&mut RouteSocket) -> Result<T, netlink::Error> + Send,
) -> Result<T, Error> {
    Ok(container.run(|| job(&mut RouteSocket::open()?))??)
}

fn refuse_strangers(facts: &Facts) -> Result<(), Error> {
    match facts.addresses.iter().find(|address| !address.network.ip().is_loopback()) {
        Some(address) => Err(Error::Stranger { address: address.network }),
        None => Ok(()),
    }
}

/// The first address of each family, as the reference answers.
fn answer(facts: &Facts, netns: &Path) -> Success {
    let first = |is_family: fn(&Address) -> bool| facts.addresses.iter().copied().find(is_family);
    let addresses = [first(|address| address.network.is_ipv4()), first(|address| address.network.is_ipv6())];
    let ip = |address: Address| Ip { address: address.network, gateway: None, interface: Some(0) };
    let lo = Interface {
        name: facts.link.name.to_string(),
        mac: facts.link.mac.map_or_else(|| "00:00:00:00:00:00".to_owned(), |mac| mac.to_string()),
        sandbox: netns.to_string_lossy().into_owned(),
        ..Interface::default()
    };
    Success {
        interfaces: vec![lo],
        ips: addresses.into_iter().flatten().map(ip).collect(),
        ..Success::default()
    }
}
