//! From a wish and the facts of a host to a network: everything is decided here, and nothing is touched.

mod conflist;
mod error;
mod layout;
mod subnets;

use std::net::IpAddr;

use docker::Pool;
use ipnetwork::IpNetwork;
use jiff::Timestamp;
use vocab::{InterfaceName, Mtu, NetworkName};

pub use error::DesignError;

use crate::builtin;
use crate::facts::HostFacts;
use crate::taken::{By, Taken};
use crate::wish::{Driver, GatewayMode, Wish};

/// The longest name: with `netctl-` before it and `.conflist` after it, it must be the name of a file.
const LONGEST_NAME: usize = 128;

/// A network that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: NetworkName,
    /// Its bridge, if it has one.
    pub bridge: Option<InterfaceName>,
    /// Its subnets.
    pub subnets: Vec<IpNetwork>,
}

/// A subnet of a network that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubnetPlan {
    /// The subnet, without host bits.
    pub subnet: IpNetwork,
    /// The containers' router.
    pub gateway: IpAddr,
    /// The first and the last address that containers get, when that is not all of it.
    pub range: Option<(IpAddr, IpAddr)>,
}

/// A network that can be made: consistent, and in nobody's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Design {
    /// Its name.
    pub name: NetworkName,
    /// What it is made of.
    pub driver: Driver,
    /// Its subnets, as they were named; those from pools after them.
    pub subnets: Vec<SubnetPlan>,
    /// The bridge, or the link of the host that it works on.
    pub link: InterfaceName,
    /// The MTU; the kernel's choice without one.
    pub mtu: Option<Mtu>,
    /// Who reaches it.
    pub gateway_mode: GatewayMode,
    /// Whether what leaves it is masqueraded.
    pub masquerade: bool,
    /// Whether its containers reach one another.
    pub icc: bool,
    /// Whether other networks of the host do not reach it.
    pub isolate: bool,
    /// Whether containers get a default route.
    pub default_route: bool,
    /// When it was made.
    pub created: Timestamp,
    /// What was asked for.
    pub wish: Wish,
}

/// What a design goes by, beside the wish.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The host.
    pub facts: &'a HostFacts,
    /// The networks that are there.
    pub known: &'a [Known],
    /// Where subnets come from that are not named.
    pub pools: &'a [Pool],
}

impl Design {
    /// Decides what the network will be.
    ///
    /// # Errors
    /// [`DesignError`], which names what is in the way and what would be right.
    pub fn new(wish: Wish, around: Surroundings<'_>, created: Timestamp) -> Result<Self, DesignError> {
        let name = wish.name.clone();
        check_name(&name, around.known)?;
        let isolated = wish.options.gateway_mode == Some(GatewayMode::Isolated);
        if isolated && !wish.internal {
            return Err(DesignError::IsolatedOnly);
        }
        let link = plan_link(&wish, around)?;
        let taken = taken_from(&wish, around, &link);
        let subnets = subnets::plan(&wish, around, &taken, &link)?;
        let mtu = plan_mtu(&wish, around.facts, &link, &subnets)?;
        let isolate = plan_isolation(&wish)?;
        if wish.internal && wish.options.masquerade == Some(true) {
            return Err(DesignError::InternalMasquerade);
        }
        let gateway_mode = wish.options.gateway_mode.unwrap_or(GatewayMode::Nat);
        let nat = matches!(gateway_mode, GatewayMode::Nat | GatewayMode::NatUnprotected);
        Ok(Self {
            name,
            driver: wish.driver,
            subnets,
            link,
            mtu,
            gateway_mode,
            masquerade: !wish.internal && wish.options.masquerade.unwrap_or(nat),
            icc: wish.options.icc.unwrap_or(true),
            isolate,
            default_route: !wish.internal && wish.options.no_default_route != Some(true),
            created,
            wish,
        })
    }

    /// Whether the host has an address on the bridge.
    #[must_use]
    pub fn has_gateway(&self) -> bool {
        self.gateway_mode != GatewayMode::Isolated
    }
}

fn check_name(name: &NetworkName, known: &[Known]) -> Result<(), DesignError> {
    if builtin::is_built_in(name.as_str()) {
        return Err(DesignError::Predefined { name: name.clone() });
    }
    if name.as_str() == builtin::DEFAULT {
        return Err(DesignError::MeansBridge { name: name.clone() });
    }
    if name.as_str().len() > LONGEST_NAME {
        return Err(DesignError::LongName { name: name.clone(), longest: LONGEST_NAME });
    }
    match known.iter().any(|known| known.name == *name) {
        true => Err(DesignError::Exists { name: name.clone() }),
        false => Ok(()),
    }
}

/// The bridge, which must be nobody else's; or the link that macvlan and ipvlan work on, which must be there.
fn plan_link(wish: &Wish, around: Surroundings<'_>) -> Result<InterfaceName, DesignError> {
    if wish.driver != Driver::Bridge {
        let parent =
            wish.options.parent.clone().or_else(|| around.facts.uplink.as_ref().map(|up| up.name.clone()));
        let parent = parent.ok_or(DesignError::NoParent { driver: wish.driver })?;
        return match around.facts.link(&parent) {
            Some(_) => Ok(parent),
            None => Err(DesignError::MissingParent { driver: wish.driver, parent }),
        };
    }
    let bridge = match &wish.options.bridge {
        Some(bridge) => bridge.clone(),
        None => docker::bridge_name(&wish.name)
            .map_err(|_| DesignError::LongName { name: wish.name.clone(), longest: LONGEST_NAME })?,
    };
    if let Some(other) = around.known.iter().find(|known| known.bridge.as_ref() == Some(&bridge)) {
        return Err(DesignError::BridgeTaken { bridge, network: other.name.clone() });
    }
    let Some(found) = around.facts.link(&bridge) else { return Ok(bridge) };
    let is_bridge = found.kind.as_deref() == Some("bridge");
    // A bridge that somebody made for the purpose is used when it is named, and so is one that an earlier life of this
    // network left.
    let is_meant = wish.options.bridge.is_some() || found.alias.as_deref().is_some_and(link::bridge::is_ours);
    match is_bridge && is_meant {
        true => Ok(bridge),
        false => Err(DesignError::LinkExists {
            link: bridge,
            kind: found.kind.clone(),
            addresses: found.addresses.clone(),
            is_bridge,
        }),
    }
}

/// What the network must keep clear of: everything but its own link.
fn taken_from(wish: &Wish, around: Surroundings<'_>, link: &InterfaceName) -> Vec<Taken> {
    let facts = around.facts.taken.iter().filter(|taken| taken.link() != Some(link));
    let known = around.known.iter().flat_map(|known| {
        let by = By::Network(known.name.clone());
        known.subnets.iter().map(move |subnet| Taken { network: *subnet, by: by.clone() })
    });
    // With macvlan the containers live in the host's own network: its other addresses and its name servers do, too.
    let parents: Vec<IpNetwork> = match wish.driver {
        Driver::Bridge => Vec::new(),
        Driver::Macvlan | Driver::Ipvlan => {
            around.facts.link(link).map_or(Vec::new(), |link| link.addresses.clone())
        }
    };
    let is_own = |taken: &&Taken| {
        matches!(taken.by, By::Nameserver)
            && parents.iter().any(|parent| subnet::overlap(*parent, taken.network))
    };
    facts.filter(|taken| !is_own(taken)).cloned().chain(known).collect()
}

fn plan_isolation(wish: &Wish) -> Result<bool, DesignError> {
    match (wish.isolate, wish.options.isolate) {
        (true, Some(false)) => Err(DesignError::IsolateTwice),
        // Its containers are neighbours of the host's neighbours: no rule of the host is on their way.
        (true, _) if wish.driver != Driver::Bridge => {
            Err(DesignError::IsolateOnParent { driver: wish.driver })
        }
        (flag, option) => Ok(flag || option == Some(true)),
    }
}

fn plan_mtu(
    wish: &Wish,
    facts: &HostFacts,
    link: &InterfaceName,
    subnets: &[SubnetPlan],
) -> Result<Option<Mtu>, DesignError> {
    let has_ipv6 = subnets.iter().any(|subnet| subnet.subnet.is_ipv6());
    let wished = match (wish.mtu, wish.options.mtu) {
        (Some(mtu), Some(option)) if mtu != option => return Err(DesignError::TwoMtus { mtu, option }),
        (mtu, option) => mtu.or(option),
    };
    match wished {
        Some(mtu) if has_ipv6 && !mtu.carries_ipv6() => Err(DesignError::MtuForIpv6 { mtu }),
        Some(mtu) => match facts.link(link).filter(|_| wish.driver != Driver::Bridge) {
            Some(parent) if mtu.bytes() > parent.mtu => {
                Err(DesignError::MtuOfParent { mtu, parent: link.clone(), most: parent.mtu })
            }
            _ => Ok(Some(mtu)),
        },
        // Their interfaces have the MTU of their parent by themselves; and what leaves an internal network goes nowhere.
        None if wish.driver != Driver::Bridge || wish.internal => Ok(None),
        None => Ok(facts.mtu_of_uplink(has_ipv6)),
    }
}

#[cfg(test)]
mod tests;
