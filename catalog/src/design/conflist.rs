//! A design as the conflist that every runtime reads.
//!
//! The keys are the reference plugins', so that it works with them, too, and podman can say what is in it. What only we
//! understand (`gatewayMode`, `isolate`, `ipForward`, the object `netctl`) is passed over by everybody else. They stand
//! in the order in which a person reads them: what it is, then what it is like.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;

use ipnetwork::IpNetwork;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use subnet::Family;
use vocab::{InterfaceName, Mtu, NetworkName};

use super::layout::lay_out;
use super::{Design, SubnetPlan};
use crate::wish::{Driver, GatewayMode};

/// The version for runtimes that know a single one: containerd 1.x and podman 4 cannot read results of 1.1.0.
const VERSION: &str = "1.0.0";
/// The versions for those that know `cniVersions`, who take the highest: with it they call STATUS and GC.
const VERSIONS: [&str; 2] = [VERSION, "1.1.0"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conflist<'a> {
    cni_version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cni_versions: Vec<&'static str>,
    name: &'a NetworkName,
    #[serde(skip_serializing_if = "Args::is_empty")]
    args: Args<'a>,
    netctl: Notes<'a>,
    plugins: Vec<Plugin<'a>>,
}

/// Where podman looks for labels.
#[derive(Serialize)]
struct Args<'a> {
    podman_labels: &'a BTreeMap<String, String>,
}

impl Args<'_> {
    fn is_empty(&self) -> bool {
        self.podman_labels.is_empty()
    }
}

/// What no plugin needs to know, and `netctl inspect` and `connect` do. A network that has it is ours.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notes<'a> {
    #[serde(serialize_with = "as_text")]
    created: Timestamp,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_false")]
    internal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_binding: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_prefix: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Plugin<'a> {
    Bridge(Bridge<'a>),
    Macvlan(OnParent<'a>),
    Ipvlan(OnParent<'a>),
    Portmap { capabilities: PortMappings },
    Firewall,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bridge<'a> {
    bridge: &'a InterfaceName,
    is_gateway: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_mode: Option<&'static str>,
    ip_masq: bool,
    hairpin_mode: bool,
    #[serde(skip_serializing_if = "is_false")]
    isolate: bool,
    #[serde(skip_serializing_if = "is_false")]
    port_isolation: bool,
    #[serde(skip_serializing_if = "is_true")]
    ip_forward: bool,
    #[serde(flatten)]
    interface: Interface<'a>,
}

#[derive(Serialize)]
struct OnParent<'a> {
    master: &'a InterfaceName,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(flatten)]
    interface: Interface<'a>,
}

/// What a container's interface has, whatever it is made of.
#[derive(Serialize)]
struct Interface<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<Mtu>,
    ipam: HostLocal<'a>,
    capabilities: Addresses,
    #[serde(skip_serializing_if = "Resolver::is_empty")]
    dns: Resolver<'a>,
}

#[derive(Serialize)]
struct HostLocal<'a> {
    r#type: &'static str,
    ranges: Vec<[Range<'a>; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Range<'a> {
    #[serde(serialize_with = "as_text")]
    subnet: IpNetwork,
    #[serde(skip_serializing_if = "Option::is_none")]
    range_start: Option<&'a IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range_end: Option<&'a IpAddr>,
    gateway: IpAddr,
}

#[derive(Serialize)]
struct Route {
    dst: &'static str,
}

#[derive(Serialize)]
struct Resolver<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    nameservers: &'a [IpAddr],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    search: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    options: &'a [String],
}

impl Resolver<'_> {
    fn is_empty(&self) -> bool {
        self.nameservers.is_empty() && self.search.is_empty() && self.options.is_empty()
    }
}

#[derive(Serialize)]
struct Addresses {
    ips: bool,
    mac: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PortMappings {
    port_mappings: bool,
}

impl Design {
    /// The text of the conflist, in those of the versions that all of its plugins speak.
    ///
    /// # Errors
    /// Never, in truth: what it is made of has an equivalent in JSON.
    pub fn conflist(&self, speak: impl Fn(&str) -> bool) -> Result<String, serde_json::Error> {
        let mut versions: Vec<&str> = VERSIONS.into_iter().filter(|version| speak(version)).collect();
        if versions.iter().all(|version| *version == VERSION) {
            versions.clear();
        }
        let compact = serde_json::to_string(&Conflist {
            cni_version: VERSION,
            cni_versions: versions,
            name: &self.name,
            args: Args { podman_labels: &self.wish.labels },
            netctl: self.notes(),
            plugins: self.plugins(),
        })?;
        Ok(lay_out(&compact))
    }

    fn notes(&self) -> Notes<'_> {
        let options = &self.wish.options;
        Notes {
            created: self.created,
            options: &options.written,
            internal: self.wish.internal,
            host_binding: options.host_binding,
            interface_prefix: options.interface_prefix.as_deref(),
        }
    }

    fn plugins(&self) -> Vec<Plugin<'_>> {
        match self.driver {
            Driver::Bridge => vec![
                Plugin::Bridge(self.bridge()),
                Plugin::Portmap { capabilities: PortMappings { port_mappings: true } },
                Plugin::Firewall,
            ],
            Driver::Macvlan => vec![Plugin::Macvlan(self.on_parent())],
            Driver::Ipvlan => vec![Plugin::Ipvlan(self.on_parent())],
        }
    }

    fn bridge(&self) -> Bridge<'_> {
        let gateway_mode = match (self.wish.internal, self.gateway_mode) {
            (true, _) => Some("internal"),
            (false, GatewayMode::Nat) => Some("nat"),
            (false, GatewayMode::Routed) => Some("routed"),
            (false, GatewayMode::NatUnprotected | GatewayMode::Isolated) => None,
        };
        Bridge {
            bridge: &self.link,
            is_gateway: self.has_gateway(),
            gateway_mode,
            ip_masq: self.masquerade,
            // A container reaches itself by its published port.
            hairpin_mode: true,
            isolate: self.isolate,
            port_isolation: !self.icc,
            ip_forward: self.wish.forward,
            interface: self.interface(),
        }
    }

    fn on_parent(&self) -> OnParent<'_> {
        OnParent { master: &self.link, mode: self.wish.options.mode.as_deref(), interface: self.interface() }
    }

    fn interface(&self) -> Interface<'_> {
        let ranges = self.subnets.iter().map(|subnet| [range(subnet)]).collect();
        let dns = Resolver {
            nameservers: &self.wish.dns,
            search: &self.wish.dns_search,
            options: &self.wish.dns_options,
        };
        Interface {
            mtu: self.mtu,
            ipam: HostLocal { r#type: "host-local", ranges, routes: self.routes() },
            capabilities: Addresses { ips: true, mac: true },
            dns,
        }
    }

    fn routes(&self) -> Vec<Route> {
        let has =
            |family: &Family| self.subnets.iter().any(|subnet| Family::of_network(subnet.subnet) == *family);
        let families = Family::BOTH.into_iter().filter(|family| self.default_route && has(family));
        let anywhere = |family| match family {
            Family::V4 => Route { dst: "0.0.0.0/0" },
            Family::V6 => Route { dst: "::/0" },
        };
        families.map(anywhere).collect()
    }
}

fn range(plan: &SubnetPlan) -> Range<'_> {
    let (range_start, range_end) = plan.range.as_ref().map(|(first, last)| (first, last)).unzip();
    Range { subnet: plan.subnet, range_start, range_end, gateway: plan.gateway }
}

fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}
