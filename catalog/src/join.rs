//! Putting a container on a network.

mod error;
mod interface;
mod request;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use cni::Success;
use link::sysctl::Sysctl;
use netns::Netns;
use network::{Doing, Entry, Error, Errors, List, Request, Runtime};
use ports::Chooser;
use vocab::{Attachment, ContainerId, InterfaceName, MacAddress, NetworkName, PortMapping, Publish};

pub use error::JoinError;
pub use interface::ensure_loopback;

use crate::catalog::{Catalog, Network, Origin};
use crate::member::Member;
use crate::target::Sandbox;
use crate::turn::Turn;
use crate::unfinished::Begun;

/// What a person asks for when a container joins a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joining {
    /// The IPv4 address it is to have.
    pub ip: Option<Ipv4Addr>,
    /// The IPv6 address it is to have.
    pub ip6: Option<Ipv6Addr>,
    /// The MAC address it is to have.
    pub mac: Option<MacAddress>,
    /// Further names of it on this network.
    pub aliases: Vec<String>,
    /// The name of its interface; by default the next free one.
    pub interface: Option<InterfaceName>,
    /// The ports of the host that are to lead to it.
    pub publish: Vec<Publish>,
    /// What its runtime calls it: kept with the attachment, so that people find it by that name.
    pub name: Option<String>,
}

impl Joining {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.ip.map(IpAddr::V4).into_iter().chain(self.ip6.map(IpAddr::V6))
    }
}

/// A container that has joined a network.
#[derive(Debug)]
pub struct Joined {
    /// It, and its interface.
    pub attachment: Attachment,
    /// What ADD answered.
    pub result: Success,
    /// The ports that lead to it.
    pub ports: Vec<PortMapping>,
    /// The settings of the host that were switched on for it: told once, for they stay on.
    pub switched_on: Vec<&'static str>,
    /// Whether somebody on the network answers to its aliases.
    pub has_resolver: bool,
    /// What could not be taken away of others whose containers are gone.
    pub not_forgotten: Vec<Error>,
}

impl Catalog {
    /// Puts a container on a network.
    ///
    /// # Errors
    /// [`JoinError`]; the host and the container are then as they were.
    pub fn join(
        &self,
        runtime: &Runtime,
        network: &Network,
        sandbox: &Sandbox,
        joining: &Joining,
    ) -> Result<Joined, JoinError> {
        let (netns, open) = opened(runtime, sandbox)?;
        let locked = Turn::wait(&open);
        let _turn =
            locked.map_err(|source| JoinError::Lock { container: sandbox.container.clone(), source })?;
        self.take_back_unfinished(runtime, sandbox)?;
        let not_forgotten = self.bury(runtime, network, &sandbox.container)?;
        let members = self.members_of_container(runtime, sandbox)?;
        check_modes(network, sandbox, &members)?;
        let here = members.iter().find(|member| member.network == *network.name() && member.is_standing);
        if let (Some(member), None) = (here, &joining.interface) {
            return Err(JoinError::Already {
                network: network.name().clone(),
                member: Box::new(member.clone()),
            });
        }
        let joined = self.attach(runtime, network, sandbox, joining, (netns, &open))?;
        Ok(Joined { not_forgotten, ..joined })
    }

    /// Puts a container on a network whose namespace the caller has just made, and nobody else knows of: then nothing is
    /// kept of it that would have to be looked through, however many others there are. Only if that fails, whoever has
    /// vanished is looked for: what is left of them may have been in the way.
    ///
    /// # Errors
    /// [`JoinError`]; the host and the container are then as they were.
    pub fn join_new(
        &self,
        runtime: &Runtime,
        network: &Network,
        sandbox: &Sandbox,
        joining: &Joining,
    ) -> Result<Joined, JoinError> {
        let (netns, open) = opened(runtime, sandbox)?;
        let attach = || self.attach(runtime, network, sandbox, joining, (netns, &open));
        attach().or_else(|error| match &error {
            JoinError::Plugins(errors)
                if !errors.iter().any(|error| error.doing == Doing::TakeBack)
                    && self.forget_vanished(runtime, network).unwrap_or(false) =>
            {
                attach()
            }
            _ => Err(error),
        })
    }

    fn attach(
        &self,
        runtime: &Runtime,
        network: &Network,
        sandbox: &Sandbox,
        joining: &Joining,
        (netns, open): (&Path, &Netns),
    ) -> Result<Joined, JoinError> {
        let prefix = network.view.interface_prefix.as_deref();
        let interface = match &joining.interface {
            Some(interface) if network.view.driver == "null" => interface.clone(),
            Some(interface) => interface::refuse_taken(open, interface, sandbox)?.clone(),
            None if network.view.driver == "null" => InterfaceName::loopback(),
            None => interface::choose(open, prefix)?,
        };
        request::check_addresses(network, joining)?;
        let attachment = Attachment::new(sandbox.container.clone(), interface);
        refuse_same_file(runtime, network, &attachment)?;
        // Until the ports are published, nobody else is given them.
        let mut chooser = None;
        let ports = self.settle(joining, network, &mut chooser)?;
        let request = request::build(network, joining, attachment.clone(), netns, &ports)?;
        let before = forwarding();
        interface::ensure_loopback(open)?;
        let begun = Begun {
            network: network.name().clone(),
            attachment: attachment.clone(),
            netns: netns.to_owned(),
        };
        let note = self.unfinished().begin(&begun)?;
        let result = self.add(runtime, network, &request).inspect_err(|errors| {
            if errors.iter().any(|error| error.doing == Doing::TakeBack) {
                note.keep();
            }
        })?;
        let has_resolver = declares(network, "aliases");
        let switched_on = switched_on(before);
        Ok(Joined { attachment, result, ports, switched_on, has_resolver, not_forgotten: Vec::new() })
    }

    fn add(&self, runtime: &Runtime, network: &Network, request: &Request) -> Result<Success, Errors> {
        // It may have waited while the network was removed.
        let is_there = || match &network.origin {
            Origin::File(_) | Origin::Kept => self.places().folder.confirm(&network.list),
            Origin::BuiltIn => Ok(()),
        };
        runtime.add_if(&network.list, request, is_there)
    }

    /// Takes away what is left of the dead, so that none of them is in the way. What fails of others is returned.
    fn bury(
        &self,
        runtime: &Runtime,
        network: &Network,
        container: &ContainerId,
    ) -> Result<Vec<Error>, JoinError> {
        let failed = self.forget_dead(runtime, network, container)?;
        let is_its_own = |error: &Error| {
            error.attachment.as_ref().is_some_and(|attachment| attachment.container == *container)
        };
        let (own, others) = failed.into_iter().partition(is_its_own);
        Errors::none_of(own)?;
        Ok(others)
    }

    fn settle(
        &self,
        joining: &Joining,
        network: &Network,
        chooser: &mut Option<Chooser>,
    ) -> Result<Vec<PortMapping>, JoinError> {
        let mut ports = Vec::new();
        for publish in &joining.publish {
            let publish = request::bound(publish, network);
            let chosen = match publish.settled() {
                Some(settled) => settled,
                None => {
                    let chooser = match chooser {
                        Some(chooser) => chooser,
                        None => chooser.insert(Chooser::open(&self.places().run_dir)?),
                    };
                    chooser.choose(&publish, chance())?
                }
            };
            for mapping in chosen {
                request::refuse_twice(&ports, &mapping)?;
                ports.push(mapping);
            }
        }
        Ok(ports)
    }

    /// Every network that a container is on, and its place there.
    pub(crate) fn members_of_container(
        &self,
        runtime: &Runtime,
        sandbox: &Sandbox,
    ) -> Result<Vec<Member>, network::CacheError> {
        let entries = runtime.cache.all()?;
        let own = entries.iter().filter(|entry| entry.attachment.container == sandbox.container);
        Ok(own.map(Member::of).collect())
    }
}

/// The container's namespace, which is not the host's.
fn opened<'a>(runtime: &Runtime, sandbox: &'a Sandbox) -> Result<(&'a Path, Netns), JoinError> {
    let container = || sandbox.container.clone();
    let netns = sandbox.netns.as_deref().ok_or_else(|| JoinError::NoNamespace { container: container() })?;
    let open = Netns::open(netns).map_err(|source| JoinError::Open { container: container(), source })?;
    let own = Netns::current().map_err(JoinError::Enter)?;
    if own.same_as(&open) && !runtime.netns_override {
        return Err(JoinError::OwnNamespace { container: container() });
    }
    Ok((netns, open))
}

/// Where the search for a free port begins: anywhere.
fn chance() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    let [.., a, b, c, d] = RandomState::new().hash_one(0).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A container is in the host's namespace, or has nothing but `lo`, or is on networks.
fn check_modes(network: &Network, sandbox: &Sandbox, members: &[Member]) -> Result<(), JoinError> {
    let container = sandbox.container.clone();
    let not_alone = |other: &Member, none: &NetworkName| JoinError::NotAlone {
        container: sandbox.container.clone(),
        network: network.name().clone(),
        other: other.network.clone(),
        none: none.clone(),
    };
    let mut others = members.iter().filter(|member| member.is_standing && member.network != *network.name());
    match network.view.driver.as_str() {
        "host" => Err(JoinError::Host { container }),
        "null" => others.next().map_or(Ok(()), |other| Err(not_alone(other, network.name()))),
        // Of all plugins it is `none` whose containers have no other interface than this.
        _ => {
            let none = others.find(|member| member.attachment.interface == InterfaceName::loopback());
            none.map_or(Ok(()), |none| Err(not_alone(none, &none.network)))
        }
    }
}

/// Fails when what would be kept of an attachment has the place of another: `x-y` and `c` make the same name of a file as
/// `x` and `y-c`. To call that one attached already would send people looking for it where it is not.
fn refuse_same_file(runtime: &Runtime, network: &Network, attachment: &Attachment) -> Result<(), JoinError> {
    // A file that cannot be read is found by ADD, which knows what to do with it.
    let kept = runtime.cache.find(network.name(), attachment).unwrap_or(None);
    let is_other = |entry: &Entry| entry.network != *network.name() || entry.attachment != *attachment;
    match kept.filter(is_other) {
        None => Ok(()),
        Some(other) => Err(JoinError::SameFile {
            network: network.name().clone(),
            attachment: attachment.clone(),
            other: Box::new(Member::of(&other)),
        }),
    }
}

/// The DEL for an entry of the cache: with the list that ADD was called with, for the network may have changed since.
pub(crate) fn leaving(current: &List, entry: &Entry) -> (List, Request) {
    let list = List::parse(entry.config.clone()).unwrap_or_else(|_| current.clone());
    // A process id may be another container's by now, whose interface this DEL would take.
    let stands = entry.stands().unwrap_or(false);
    let netns = entry.namespace().filter(|netns| stands || !netns.starts_with("/proc")).map(Path::to_owned);
    (list, Request::new(entry.attachment.clone(), netns))
}

/// Whether a plugin of the network takes values for that capability.
#[must_use]
pub fn declares(network: &Network, capability: &str) -> bool {
    network.list.plugins().iter().any(|plugin| plugin.capabilities().iter().any(|name| name == capability))
}

const FORWARDING: [&str; 2] = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];

/// Whether the host forwards IPv4 and IPv6.
fn forwarding() -> [bool; 2] {
    // A setting that is not there forwards nothing.
    [Sysctl::ipv4_forwarding(), Sysctl::ipv6_forwarding()]
        .map(|setting| setting.read().is_ok_and(|value| value != "0"))
}

fn switched_on(before: [bool; 2]) -> Vec<&'static str> {
    let changed = FORWARDING.into_iter().zip(before.into_iter().zip(forwarding()));
    changed.filter(|(_, (before, after))| !before && *after).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
