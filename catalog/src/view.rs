//! What a conflist says of its network, whoever wrote it: read, never judged.
//!
//! A plugin decides what it can use; here a person is shown what stands there. What cannot be read is left out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use cni::OptionalIp;
use docker::{Shorthand, Wish};
use ipnetwork::IpNetwork;
use network::{List, PluginConfig};
use serde::Deserialize;
use serde_json::{Map, Value};
use subnet::{Family, bits};
use vocab::InterfaceName;

/// What a network is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Its first plugin, in Docker's word where that is another.
    pub driver: String,
    /// The plugin that leases its addresses.
    pub ipam: Option<String>,
    /// Where host-local keeps its leases, when the network says so.
    pub data_dir: Option<PathBuf>,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Its bridge, or the link of the host that it works on.
    pub link: Option<InterfaceName>,
    /// The MTU that it names, in bytes.
    pub mtu: Option<u32>,
    /// Whether nothing leaves it.
    pub is_internal: bool,
    /// Whether other networks do not reach it.
    pub is_isolated: bool,
    /// Its name servers, domains and resolver options.
    pub dns: cni::Dns,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The options of its driver.
    pub options: BTreeMap<String, String>,
    /// When it was made (RFC 3339), if its maker wrote that down.
    pub created: Option<String>,
    /// Whether `netctl create` made it.
    pub is_ours: bool,
    /// At which address of the host its ports are published that name none.
    pub host_binding: Option<IpAddr>,
    /// What the names of its containers' interfaces begin with.
    pub interface_prefix: Option<String>,
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The subnet.
    pub subnet: IpNetwork,
    /// The containers' router.
    pub gateway: Option<IpAddr>,
    /// The first and the last address that containers get, when that is not all of it.
    pub range: Option<(IpAddr, IpAddr)>,
}

/// The head of a list, as far as it is ours, podman's or nerdctl's.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Head {
    args: Words,
    netctl: Option<Notes>,
    #[serde(rename = "nerdctlLabels")]
    nerdctl_labels: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Words {
    podman_labels: BTreeMap<String, String>,
    podman_options: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Notes {
    created: Option<String>,
    options: BTreeMap<String, String>,
    internal: bool,
    host_binding: OptionalIp,
    interface_prefix: Option<String>,
}

/// The keys of the first plugin that say what a network is like.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Keys {
    bridge: String,
    master: String,
    mtu: i64,
    is_gateway: bool,
    is_default_gateway: bool,
    gateway_mode: String,
    isolate: bool,
    ipam: Ipam,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Ipam {
    r#type: String,
    data_dir: String,
    subnet: String,
    range_start: OptionalIp,
    range_end: OptionalIp,
    gateway: OptionalIp,
    ranges: Vec<Vec<Range>>,
    routes: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Range {
    subnet: String,
    range_start: OptionalIp,
    range_end: OptionalIp,
    gateway: OptionalIp,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct DockerKeys {
    bip: Option<String>,
    bip6: Option<String>,
    fixed_cidr: Option<String>,
    fixed_cidr_v6: Option<String>,
    default_gateway: OptionalIp,
    default_gateway_v6: OptionalIp,
}

impl View {
    /// Reads what a list says.
    #[must_use]
    pub fn of(list: &List) -> Self {
        let head: Head = serde_json::from_slice(list.bytes())
            .ok()
            .and_then(|head: Map<String, Value>| cni::decode_object(&head).ok())
            .unwrap_or_default();
        let Some(plugin) = list.plugins().first() else { return Self::default() };
        let mut view = Self { driver: driver(plugin).to_owned(), ..Self::default() };
        view.read_head(head);
        let object = plugin.object();
        let keys: Keys = cni::decode_object(object).unwrap_or_default();
        view.ipam = (!keys.ipam.r#type.is_empty()).then(|| keys.ipam.r#type.clone());
        view.data_dir = (!keys.ipam.data_dir.is_empty()).then(|| keys.ipam.data_dir.clone().into());
        view.subnets = keys.ipam.subnets();
        view.mtu = u32::try_from(keys.mtu).ok().filter(|mtu| *mtu != 0);
        view.is_isolated = keys.isolate;
        view.is_internal |= keys.gateway_mode == "internal";
        view.dns = object.get("dns").and_then(|dns| cni::decode(dns, "dns").ok()).unwrap_or_default();
        let link = match plugin.kind() {
            "bridge" if keys.bridge.is_empty() => "cni0",
            "bridge" => &keys.bridge,
            _ => &keys.master,
        };
        view.link = InterfaceName::new(link).ok();
        if plugin.kind() == "bridge" {
            view.read_shorthand(list, object);
            // As podman writes an internal network: the host has no address there, and nothing leads out.
            let is_switch = !keys.is_gateway
                && !keys.is_default_gateway
                && view.subnets.iter().all(|subnet| subnet.gateway.is_none());
            view.is_internal |= is_switch && keys.ipam.routes.is_empty();
        }
        view
    }

    fn read_head(&mut self, head: Head) {
        self.labels = head.args.podman_labels;
        self.labels.extend(head.nerdctl_labels);
        self.options = head.args.podman_options;
        self.is_ours = head.netctl.is_some();
        if let Some(notes) = head.netctl {
            self.created = notes.created;
            self.options.extend(notes.options);
            self.is_internal = notes.internal;
            self.host_binding = notes.host_binding.0;
            self.interface_prefix = notes.interface_prefix;
        }
    }

    /// Docker's keys stand for an `ipam`, a bridge of the network's own name, and a gateway.
    fn read_shorthand(&mut self, list: &List, object: &Map<String, Value>) {
        let keys: DockerKeys = cni::decode_object(object).unwrap_or_default();
        let DockerKeys { bip, bip6, fixed_cidr, fixed_cidr_v6, default_gateway, default_gateway_v6 } = keys;
        let wish = Wish {
            bip,
            bip6,
            fixed_cidr,
            fixed_cidr_v6,
            gateway: default_gateway.0,
            gateway_v6: default_gateway_v6.0,
        };
        if wish == Wish::default() {
            return;
        }
        let Ok(shorthand) = Shorthand::new(&wish) else { return };
        self.ipam = Some("host-local".to_owned());
        self.subnets = shorthand
            .families()
            .iter()
            .map(|family| Subnet {
                subnet: family.subnet(),
                gateway: Some(family.gateway()),
                range: part_of(family.subnet(), family.pool().0, family.pool().1),
            })
            .collect();
        if !object.contains_key("bridge") {
            self.link = docker::bridge_name(list.name()).ok();
        }
    }

    /// Whether its containers get addresses of that family.
    #[must_use]
    pub fn has_family(&self, family: Family) -> bool {
        self.subnets.iter().any(|subnet| Family::of_network(subnet.subnet) == family)
    }
}

impl Ipam {
    fn subnets(&self) -> Vec<Subnet> {
        let single = (!self.subnet.is_empty()).then(|| Range {
            subnet: self.subnet.clone(),
            range_start: self.range_start,
            range_end: self.range_end,
            gateway: self.gateway,
        });
        let mut subnets: Vec<Subnet> = Vec::new();
        for range in single.iter().chain(self.ranges.iter().flatten()) {
            let Some(next) = range.subnet() else { continue };
            match subnets.iter_mut().find(|subnet| subnet.subnet == next.subnet) {
                // Two ranges of a subnet are shown as the one that reaches from the first to the last.
                Some(earlier) => earlier.join(&next),
                None => subnets.push(next),
            }
        }
        subnets
    }
}

impl Range {
    fn subnet(&self) -> Option<Subnet> {
        let subnet = subnet::of(subnet::parse(&self.subnet)?);
        let first = self.range_start.0.unwrap_or(subnet.network());
        let last = self.range_end.0.unwrap_or(subnet.broadcast());
        Some(Subnet { subnet, gateway: self.gateway.0, range: part_of(subnet, first, last) })
    }
}

impl Subnet {
    fn join(&mut self, other: &Self) {
        let ends =
            |subnet: &Self| subnet.range.unwrap_or((subnet.subnet.network(), subnet.subnet.broadcast()));
        let ((a, b), (c, d)) = (ends(self), ends(other));
        self.range = part_of(self.subnet, a.min(c), b.max(d));
        self.gateway = self.gateway.or(other.gateway);
    }

    /// How many containers there is room for.
    pub(crate) fn room(&self) -> u128 {
        let (network, end) = (self.subnet.network(), self.subnet.broadcast());
        let (first, last) = self.range.unwrap_or((network, end));
        let mut room = bits(last).saturating_sub(bits(first)).saturating_add(1);
        let is_inside = |address: IpAddr| (first..=last).contains(&address);
        let broadcast = self.subnet.is_ipv4().then_some(end);
        // A gateway that is not named is the first address.
        let gateway = self.gateway.is_none_or(is_inside);
        for is_lost in [is_inside(network), broadcast.is_some_and(is_inside), gateway] {
            room = room.saturating_sub(u128::from(is_lost));
        }
        room
    }

    /// The range in Docker's form: a network, when the addresses are one but for its ends.
    #[must_use]
    pub fn range_text(&self) -> Option<String> {
        let (first, last) = self.range?;
        let whole = (self.subnet.prefix()..=Family::of(first).width()).rev().find_map(|prefix| {
            let network = subnet::of(IpNetwork::new(first, prefix).ok()?);
            network.contains(last).then_some(network)
        })?;
        let is_near = |end: IpAddr, edge: IpAddr| end == edge || follows(end, edge);
        let fits = is_near(whole.network(), first) && is_near(last, whole.broadcast());
        Some(if fits { whole.to_string() } else { format!("{first}-{last}") })
    }
}

/// Whether `b` follows `a`.
fn follows(a: IpAddr, b: IpAddr) -> bool {
    a < b && subnet::step(a, 1) == b
}

/// A range, unless it is all that a host may have of the subnet anyway.
fn part_of(subnet: IpNetwork, first: IpAddr, last: IpAddr) -> Option<(IpAddr, IpAddr)> {
    let (network, end) = (subnet.network(), subnet.broadcast());
    let is_first = first == network || follows(network, first);
    let is_last = last == end || follows(last, end);
    (!(is_first && is_last)).then_some((first, last))
}

fn driver(plugin: &PluginConfig) -> &str {
    match plugin.kind() {
        "none" => "null",
        kind => kind,
    }
}

#[cfg(test)]
mod tests;
