//! The CNI plugin `none`: a loopback interface and nothing else.
//!
//! It brings `lo` up and promises that nothing else is there: a namespace with any other interface that could carry
//! a packet is refused, with the interface's name.

use std::path::Path;

use cni::{
    About, AddCall, CheckCall, Code, DelCall, Environment, Failure, Fault, GcCall, Interface, Ip, Plugin,
    StatusCall, Success, Version,
};
use link::inventory::{self, Entry};
use link::{loopback, sandbox};
use netlink::RouteSocket;
use vocab::InterfaceName;

/// The plugin.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

/// Links that a kernel with tunnels puts into every new namespace. As long as they are down they are nothing.
const BORN_WITH_THE_NAMESPACE: [&str; 9] =
    ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Netlink(#[from] netlink::Error),
    #[error(transparent)]
    Netns(#[from] netns::Error),
    #[error("promise that there is nothing but lo: there is {name}")]
    Something { name: InterfaceName },
    #[error("check lo: it is down")]
    Down,
    #[error("invalid network configuration: prevResult: none comes first in its list, and alone")]
    NotAlone,
}

impl Fault for Error {
    fn code(&self) -> Code {
        match self {
            Self::Netlink(error) => link::code_of(error),
            Self::Netns(_) => Code::INTERNAL,
            Self::Something { .. } | Self::Down => Code::PLUGIN,
            Self::NotAlone => Code::INVALID_CONFIG,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Something { .. } => {
                "DEL the other attachment first, or use the plugin loopback, which promises less"
            }
            Self::NotAlone => "use the plugin loopback in a list with others",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl Plugin for Nothing {
    fn about(&self) -> About {
        About {
            name: "none",
            purpose: "brings lo up and sees that nothing else is there",
            versions: &Version::ALL,
        }
    }

    fn add(&self, call: &AddCall) -> Result<Success, Failure> {
        if call.call.config.prev_result()?.is_some() {
            return Err(Error::NotAlone.into());
        }
        let lo = look(&call.netns, &call.call.environment, true)?;
        Ok(answer(&lo, &call.netns))
    }

    fn check(&self, call: &CheckCall) -> Result<(), Failure> {
        call.call.config.prev_result()?;
        let lo = look(&call.netns, &call.call.environment, false)?;
        if lo.link.is_up { Ok(()) } else { Err(Error::Down.into()) }
    }

    fn del(&self, call: &DelCall) -> Result<(), Failure> {
        let Some(container) = sandbox::open_if_there(call.netns.as_deref(), &call.call.environment)? else {
            return Ok(());
        };
        let down = container.run(|| loopback::ensure_down(&mut RouteSocket::open()?));
        Ok(down.map_err(Error::from)?.map_err(Error::from)?)
    }

    fn gc(&self, _: &GcCall) -> Result<(), Failure> {
        // What it makes goes with the container's namespace.
        Ok(())
    }

    fn status(&self, _: &StatusCall) -> Result<(), Failure> {
        Ok(())
    }
}

/// Finds `lo`, brought up if that is wanted, and nothing else.
fn look(netns: &Path, environment: &Environment, bring_up: bool) -> Result<Entry, Failure> {
    let container = sandbox::open(netns, environment)?;
    let look = || {
        let mut socket = RouteSocket::open()?;
        refuse_others(&inventory::list(&mut socket)?)?;
        let loopback =
            if bring_up { loopback::ensure_up(&mut socket)? } else { loopback::find(&mut socket)? };
        Ok::<_, Error>(Entry { link: loopback.link, addresses: loopback.addresses })
    };
    Ok(container.run(look).map_err(Error::from)??)
}

fn refuse_others(entries: &[Entry]) -> Result<(), Error> {
    let is_something = |entry: &&Entry| {
        let is_idle_tunnel = !entry.link.is_up && BORN_WITH_THE_NAMESPACE.contains(&entry.link.name.as_str());
        !entry.link.is_loopback && !is_idle_tunnel
    };
    match entries.iter().find(is_something) {
        Some(entry) => Err(Error::Something { name: entry.link.name.clone() }),
        None => Ok(()),
    }
}

fn answer(lo: &Entry, netns: &Path) -> Success {
    let ip = |address: &netlink::Address| Ip { address: address.network, gateway: None, interface: Some(0) };
    let interface = Interface {
        name: lo.link.name.to_string(),
        mac: "00:00:00:00:00:00".to_owned(),
        sandbox: netns.to_string_lossy().into_owned(),
        ..Interface::default()
    };
    Success { interfaces: vec![interface], ips: lo.addresses.iter().map(ip).collect(), ..Success::default() }
}
