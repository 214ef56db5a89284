//! The keys that say what a network is like, in the spelling of whoever wrote them.
//!
//! Each is read by itself: one that holds something else than it should costs nobody the others.

use std::collections::BTreeMap;
use std::net::IpAddr;

use cni::{Dns, OptionalIp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Subnet;

/// What a key holds; nothing, if it is of another type than it should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lenient<T>(pub(crate) Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Default> Lenient<T> {
    pub(crate) fn unwrap_or_default(self) -> T {
        self.0.unwrap_or_default()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(cni::decode(&value, "").ok()))
    }
}

/// A list of which each element is read by itself.
pub(crate) type LenientList<T> = Lenient<Vec<Lenient<T>>>;

/// Words for people; a value that is no text is none.
#[derive(Deserialize, Default)]
#[serde(transparent)]
pub(super) struct Words(Lenient<BTreeMap<String, Lenient<String>>>);

impl Words {
    pub(super) fn read(self) -> impl Iterator<Item = (String, String)> {
        self.0.unwrap_or_default().into_iter().filter_map(|(key, value)| Some((key, value.0?)))
    }
}

/// The head of a list, as far as it is ours, podman's or nerdctl's.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Head {
    pub(super) args: Lenient<Args>,
    pub(super) netctl: Option<Lenient<Notes>>,
    #[serde(rename = "nerdctlLabels")]
    pub(super) nerdctl_labels: Words,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Args {
    pub(super) podman_labels: Words,
    pub(super) podman_options: Words,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Notes {
    pub(super) created: Lenient<String>,
    pub(super) options: Words,
    pub(super) internal: Lenient<bool>,
    pub(super) host_binding: Lenient<OptionalIp>,
    pub(super) interface_prefix: Lenient<String>,
}

/// The keys of the first plugin.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Keys {
    pub(super) bridge: Option<Lenient<String>>,
    pub(super) master: Lenient<String>,
    pub(super) mtu: Lenient<u32>,
    pub(super) is_gateway: Lenient<bool>,
    pub(super) is_default_gateway: Lenient<bool>,
    pub(super) gateway_mode: Lenient<String>,
    pub(super) isolate: Lenient<bool>,
    pub(super) ipam: Lenient<Ipam>,
    pub(super) dns: Lenient<Dns>,
}

/// The key of the plugin `firewall` that says who reaches a network.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Firewall {
    pub(super) ingress_policy: Lenient<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Ipam {
    pub(super) r#type: Lenient<String>,
    pub(super) data_dir: Lenient<String>,
    subnet: Lenient<String>,
    range_start: Lenient<OptionalIp>,
    range_end: Lenient<OptionalIp>,
    gateway: Lenient<OptionalIp>,
    ranges: LenientList<Vec<Lenient<Range>>>,
    routes: Lenient<Vec<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Range {
    subnet: Lenient<String>,
    range_start: Lenient<OptionalIp>,
    range_end: Lenient<OptionalIp>,
    gateway: Lenient<OptionalIp>,
}

impl Ipam {
    /// Its subnets: of `ipam` itself, in the oldest spelling, and of its `ranges`.
    pub(super) fn subnets(&self) -> Vec<Subnet> {
        let single = Range {
            subnet: self.subnet.clone(),
            range_start: self.range_start,
            range_end: self.range_end,
            gateway: self.gateway,
        };
        let sets = self.ranges.0.iter().flatten().filter_map(|set| set.0.as_ref());
        let ranges = std::iter::once(&single).chain(sets.flatten().filter_map(|range| range.0.as_ref()));
        let mut subnets: Vec<Subnet> = Vec::new();
        for next in ranges.filter_map(Range::subnet) {
            match subnets.iter_mut().find(|subnet| subnet.subnet == next.subnet) {
                // Two ranges of a subnet are shown as the one that reaches from the first to the last.
                Some(earlier) => earlier.join(&next),
                None => subnets.push(next),
            }
        }
        subnets
    }

    /// Whether its containers have a way to anywhere beyond it.
    pub(super) fn has_routes(&self) -> bool {
        self.routes.0.as_ref().is_some_and(|routes| !routes.is_empty())
    }
}

impl Range {
    fn subnet(&self) -> Option<Subnet> {
        let subnet = subnet::of(subnet::parse(self.subnet.0.as_deref()?)?);
        let inside = |end: Lenient<OptionalIp>| end.0?.0.filter(|address| subnet.contains(*address));
        let first = inside(self.range_start).unwrap_or(subnet.network());
        let last = inside(self.range_end).unwrap_or(subnet.broadcast());
        Some(Subnet::new(subnet, address(self.gateway), (first, last)))
    }
}

fn address(written: Lenient<OptionalIp>) -> Option<IpAddr> {
    written.unwrap_or_default().0
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct DockerKeys {
    bip: Lenient<String>,
    bip6: Lenient<String>,
    fixed_cidr: Lenient<String>,
    fixed_cidr_v6: Lenient<String>,
    default_gateway: Lenient<OptionalIp>,
    default_gateway_v6: Lenient<OptionalIp>,
}

/// Docker's keys, if there are any: they stand for an `ipam`.
pub(super) fn shorthand(object: &Map<String, Value>) -> Option<docker::Wish> {
    let keys: DockerKeys = cni::decode_object(object).unwrap_or_default();
    let wish = docker::Wish {
        bip: keys.bip.0,
        bip6: keys.bip6.0,
        fixed_cidr: keys.fixed_cidr.0,
        fixed_cidr_v6: keys.fixed_cidr_v6.0,
        gateway: address(keys.default_gateway),
        gateway_v6: address(keys.default_gateway_v6),
    };
    (wish != docker::Wish::default()).then_some(wish)
}
