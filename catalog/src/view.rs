//! What a conflist says of its network, whoever wrote it: read, never judged.
//!
//! A plugin decides what it can use; here a person is shown what stands there. What cannot be read is left out.

mod keys;
mod subnet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use ::subnet::Family;
use docker::Shorthand;
use network::{List, PluginConfig};
use vocab::InterfaceName;

pub(crate) use self::keys::LenientList;
use self::keys::{Firewall, Head, Keys, Lenient};
pub use self::subnet::Subnet;

/// The bridge of a conflist that names none, as the plugin has it.
const DEFAULT_BRIDGE: &str = "cni0";

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

impl View {
    /// Reads what a list says.
    #[must_use]
    pub fn of(list: &List) -> Self {
        let mut view = Self::default();
        view.read_head(list);
        let Some(plugin) = list.plugins().first() else { return view };
        view.driver = driver(plugin).to_owned();
        view.read_plugin(list, plugin);
        view.is_isolated |= list.plugins().iter().any(is_closed);
        view
    }

    fn read_head(&mut self, list: &List) {
        let head = serde_json::from_slice(list.bytes()).ok();
        let head: Head = head.and_then(|head| cni::decode_object(&head).ok()).unwrap_or_default();
        let args = head.args.unwrap_or_default();
        self.labels = args.podman_labels.read().chain(head.nerdctl_labels.read()).collect();
        self.options = args.podman_options.read().collect();
        self.is_ours = head.netctl.is_some();
        let notes = head.netctl.unwrap_or_default().unwrap_or_default();
        self.created = notes.created.0;
        self.options.extend(notes.options.read());
        self.is_internal = notes.internal.unwrap_or_default();
        self.host_binding = notes.host_binding.unwrap_or_default().0;
        self.interface_prefix = notes.interface_prefix.0;
    }

    fn read_plugin(&mut self, list: &List, plugin: &PluginConfig) {
        let keys: Keys = cni::decode_object(plugin.object()).unwrap_or_default();
        let ipam = keys.ipam.unwrap_or_default();
        let given = |text: &Lenient<String>| text.0.clone().filter(|text| !text.is_empty());
        self.ipam = given(&ipam.r#type);
        self.data_dir = given(&ipam.data_dir).map(PathBuf::from);
        self.subnets = ipam.subnets();
        self.mtu = keys.mtu.0.filter(|mtu| *mtu != 0);
        self.is_isolated = keys.isolate.unwrap_or_default();
        self.is_internal |= keys.gateway_mode.0.is_some_and(|mode| mode == "internal");
        self.dns = keys.dns.unwrap_or_default();
        if plugin.kind() != "bridge" {
            self.link = keys.master.0.and_then(|master| InterfaceName::new(&master).ok());
            return;
        }
        let shorthand = keys::shorthand(plugin.object());
        self.link = bridge(list, keys.bridge, shorthand.is_some());
        if let Some(shorthand) = shorthand.and_then(|wish| Shorthand::new(&wish).ok()) {
            self.adopt(&shorthand);
        }
        // As podman writes an internal network: the host has no address there, and nothing leads out. Of addresses that
        // somebody else leases (dhcp) nobody knows.
        let is_gateway = keys.is_gateway.unwrap_or_default() || keys.is_default_gateway.unwrap_or_default();
        let is_switch = !is_gateway && self.subnets.iter().all(|subnet| subnet.gateway.is_none());
        self.is_internal |= is_switch && !ipam.has_routes() && !self.subnets.is_empty();
    }

    /// Docker's keys stand for an `ipam`.
    fn adopt(&mut self, shorthand: &Shorthand) {
        let subnet =
            |family: &docker::Family| Subnet::new(family.subnet(), Some(family.gateway()), family.pool());
        self.ipam = Some("host-local".to_owned());
        self.subnets = shorthand.families().iter().map(subnet).collect();
    }

    /// Whether its containers get addresses of that family.
    #[must_use]
    pub fn has_family(&self, family: Family) -> bool {
        self.subnets.iter().any(|subnet| Family::of_network(subnet.subnet) == family)
    }
}

/// The bridge of a network, as the plugin finds it. One that cannot be read is none, and not the one that stands for none.
fn bridge(list: &List, written: Option<Lenient<String>>, has_shorthand: bool) -> Option<InterfaceName> {
    let Some(written) = written else {
        let default = || InterfaceName::new(DEFAULT_BRIDGE);
        return if has_shorthand { docker::bridge_name(list.name()) } else { default() }.ok();
    };
    let name = written.0?;
    InterfaceName::new(if name.is_empty() { DEFAULT_BRIDGE } else { &name }).ok()
}

/// Whether the plugin `firewall` closes the network, as podman's option `isolate` and nerdctl do it.
fn is_closed(plugin: &PluginConfig) -> bool {
    let keys: Firewall = cni::decode_object(plugin.object()).unwrap_or_default();
    let policy = keys.ingress_policy.unwrap_or_default();
    plugin.kind() == "firewall" && ["same-bridge", "isolated"].contains(&policy.as_str())
}

fn driver(plugin: &PluginConfig) -> &str {
    match plugin.kind() {
        "none" => "null",
        kind => kind,
    }
}
