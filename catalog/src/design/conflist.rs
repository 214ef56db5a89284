//! A design as the conflist that every runtime reads.
//!
//! The keys are the reference plugins', so that it works with them, too, and podman can say what is in it. What only we
//! understand (`gatewayMode`, `isolate`, `ipForward`, the object `netctl`) is passed over by everybody else.

use serde_json::{Map, Value, json};

use super::{Design, SubnetPlan};
use crate::wish::{Driver, GatewayMode};

/// The version for runtimes that know a single one: containerd 1.x and podman 4 cannot read results of 1.1.0.
const VERSION: &str = "1.0.0";
/// The versions for those that know `cniVersions`, who take the highest: with it they call STATUS and GC.
pub(crate) const VERSIONS: [&str; 2] = [VERSION, "1.1.0"];

impl Design {
    /// The conflist, in those of the versions that all of its plugins speak.
    #[must_use]
    pub fn conflist(&self, speak: impl Fn(&str) -> bool) -> Value {
        let mut plugins = vec![self.first_plugin()];
        if self.driver == Driver::Bridge {
            plugins.push(json!({"type": "portmap", "capabilities": {"portMappings": true}}));
            plugins.push(json!({"type": "firewall"}));
        }
        let mut list = json!({
            "cniVersion": VERSION,
            "name": self.name,
            "netctl": self.own_notes(),
            "plugins": plugins,
        });
        let versions: Vec<&str> = VERSIONS.into_iter().filter(|version| speak(version)).collect();
        if versions.iter().any(|version| *version != VERSION) {
            set(&mut list, "cniVersions", json!(versions));
        }
        if !self.wish.labels.is_empty() {
            // Where podman looks for labels.
            set(&mut list, "args", json!({"podman_labels": self.wish.labels}));
        }
        list
    }

    /// What no plugin needs to know, and `netctl inspect` does.
    fn own_notes(&self) -> Value {
        let mut notes = json!({"created": self.created});
        let options = &self.wish.options;
        if !options.written.is_empty() {
            set(&mut notes, "options", json!(options.written));
        }
        if self.wish.internal {
            set(&mut notes, "internal", true.into());
        }
        if let Some(address) = options.host_binding {
            set(&mut notes, "hostBinding", json!(address));
        }
        if let Some(prefix) = &options.interface_prefix {
            set(&mut notes, "interfacePrefix", json!(prefix));
        }
        notes
    }

    fn first_plugin(&self) -> Value {
        let mut plugin = match self.driver {
            Driver::Bridge => self.bridge(),
            Driver::Macvlan | Driver::Ipvlan => self.on_parent(),
        };
        if let Some(mtu) = self.mtu {
            set(&mut plugin, "mtu", json!(mtu));
        }
        set(&mut plugin, "ipam", self.ipam());
        set(&mut plugin, "capabilities", json!({"ips": true, "mac": true}));
        let dns = self.dns();
        if !dns.is_empty() {
            set(&mut plugin, "dns", Value::Object(dns));
        }
        plugin
    }

    fn bridge(&self) -> Value {
        let mut plugin = json!({
            "type": "bridge",
            "bridge": self.link,
            "isGateway": self.has_gateway(),
            "ipMasq": self.masquerade,
            // A container reaches itself by its published port.
            "hairpinMode": true,
        });
        let mode = match (self.wish.internal, self.gateway_mode) {
            (true, _) => Some("internal"),
            (false, GatewayMode::Nat) => Some("nat"),
            (false, GatewayMode::Routed) => Some("routed"),
            (false, GatewayMode::NatUnprotected | GatewayMode::Isolated) => None,
        };
        if let Some(mode) = mode {
            set(&mut plugin, "gatewayMode", mode.into());
        }
        if self.wish.isolate || self.wish.options.isolate == Some(true) {
            set(&mut plugin, "isolate", true.into());
        }
        if !self.icc {
            set(&mut plugin, "portIsolation", true.into());
        }
        if !self.wish.forward {
            set(&mut plugin, "ipForward", false.into());
        }
        plugin
    }

    fn on_parent(&self) -> Value {
        let mut plugin = json!({"type": self.driver.as_str(), "master": self.link});
        if let Some(mode) = &self.wish.options.mode {
            set(&mut plugin, "mode", mode.as_str().into());
        }
        plugin
    }

    fn ipam(&self) -> Value {
        let ranges: Vec<Value> = self.subnets.iter().map(|subnet| json!([range(subnet)])).collect();
        let mut ipam = json!({"type": "host-local", "ranges": ranges});
        if self.default_route {
            let mut routes: Vec<Value> = Vec::with_capacity(2);
            for subnet in &self.subnets {
                let route = json!({"dst": if subnet.subnet.is_ipv4() { "0.0.0.0/0" } else { "::/0" }});
                if !routes.contains(&route) {
                    routes.push(route);
                }
            }
            set(&mut ipam, "routes", routes.into());
        }
        ipam
    }

    fn dns(&self) -> Map<String, Value> {
        let mut dns = Map::new();
        let mut insert = |key: &str, value: Value| dns.insert(key.to_owned(), value);
        if !self.wish.dns.is_empty() {
            insert("nameservers", json!(self.wish.dns));
        }
        if !self.wish.dns_search.is_empty() {
            insert("search", json!(self.wish.dns_search));
        }
        if !self.wish.dns_options.is_empty() {
            insert("options", json!(self.wish.dns_options));
        }
        dns
    }
}

fn range(subnet: &SubnetPlan) -> Value {
    let mut range = json!({"subnet": subnet.subnet.to_string(), "gateway": subnet.gateway});
    if let Some((first, last)) = subnet.range {
        set(&mut range, "rangeStart", json!(first));
        set(&mut range, "rangeEnd", json!(last));
    }
    range
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}
