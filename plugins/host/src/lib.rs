//! The CNI plugin `host`: the container stays in the host's own namespace.
//!
//! It accepts no other namespace, changes nothing, and reports the host's interfaces and addresses.

use cni::{
    About, AddCall, CheckCall, DelCall, Failure, Fault, GcCall, Interface, Ip, Plugin, StatusCall, Success,
    Version,
};
use link::inventory::{self, Entry};
use link::sandbox;
use netlink::{Address, RouteSocket};

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct HostNamespace;

/// `RT_SCOPE_UNIVERSE` (`linux/rtnetlink.h`): an address that reaches beyond its link.
const EVERYWHERE: u8 = 0;

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Error(#[from] netlink::Error);

impl Fault for Error {
    fn code(&self) -> cni::Code {
        link::code_of(&self.0)
    }
}

impl Plugin for HostNamespace {
    fn about(&self) -> About {
        About {
            name: "host",
            purpose: "leaves a container in the host's own namespace",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        sandbox::open_own(&call.netns)?;
        let mut socket = RouteSocket::open().map_err(Error)?;
        let entries = inventory::list(&mut socket).map_err(Error)?;
        Ok(answer(&entries, &call.netns.to_string_lossy()))
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        sandbox::open_own(&call.netns)?;
        Ok(())
    }

    fn del(&self, _: &DelCall) -> Result<(), Failure> {
        Ok(())
    }

    fn gc(&self, _: &GcCall) -> Result<(), Failure> {
        Ok(())
    }

    fn status(&self, _: &StatusCall) -> Result<(), Failure> {
        Ok(())
    }
}

/// The interfaces that are up and have an address that reaches beyond them, with those addresses.
fn answer(entries: &[Entry], sandbox: &str) -> Success {
    let mut success = Success::default();
    let reaches = |address: &&Address| address.scope == EVERYWHERE && !address.network.ip().is_loopback();
    for entry in entries.iter().filter(|entry| entry.link.is_up) {
        let addresses: Vec<_> = entry.addresses.iter().filter(reaches).collect();
        if addresses.is_empty() {
            continue;
        }
        let interface = Some(success.interfaces.len());
        success.interfaces.push(Interface {
            name: entry.link.name.to_string(),
            mac: entry.link.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            sandbox: sandbox.to_owned(),
            ..Interface::default()
        });
        let ip = |address: &Address| Ip { address: address.network, gateway: None, interface };
        success.ips.extend(addresses.into_iter().map(ip));
    }
    success
}
