//! Configurations that many tests begin with.

use serde_json::{Value, json};

/// The bridge of the configurations here.
pub const BRIDGE: &str = "br0";

/// Every version of the specification.
pub const VERSIONS: [&str; 7] = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// The versions that a plugin speaks: one that needs the result of those before it in the chain also on DEL is as
/// young as that is.
#[must_use]
pub fn versions_of(plugin: &str) -> &'static [&'static str] {
    if plugin == "firewall" { &VERSIONS[4..] } else { &VERSIONS }
}

/// A bridge with IPv4: 10.1.0.1 is the gateway, the first container gets 10.1.0.2.
#[must_use]
pub fn v4() -> Value {
    json!({
        "cniVersion": "1.1.0",
        "name": "net",
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": true,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": "10.1.0.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    })
}

/// The same with IPv6 beside it: fd00:1::1 is the gateway, the first container gets fd00:1::2.
#[must_use]
pub fn dual() -> Value {
    let ipam = json!({
        "type": "host-local",
        "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
    });
    with(v4(), json!({ "ipam": ipam }))
}

/// A bridge that is only a switch.
#[must_use]
pub fn layer2() -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": BRIDGE})
}

/// Addresses by host-local alone.
#[must_use]
pub fn host_local() -> Value {
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.1.0.0/24"}]]});
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "ipam": ipam})
}

/// Addresses by static alone.
#[must_use]
pub fn fixed() -> Value {
    let addresses = json!([{"address": "10.1.0.50/24", "gateway": "10.1.0.1"}]);
    json!({"cniVersion": "1.1.0", "name": "net", "type": "bridge", "ipam": {"type": "static", "addresses": addresses}})
}

/// Published ports, in Docker's words: `8080:80`, `127.0.0.1:8080:80/udp`, `8000-8010:80-90`.
///
/// # Panics
/// A text is not settled.
#[must_use]
#[allow(clippy::panic, reason = "a test whose ports are nonsense fails")]
pub fn portmap(words: &[&str]) -> Value {
    let mappings = words.iter().flat_map(|text| {
        let publish: Result<vocab::Publish, _> = text.parse();
        publish.ok().and_then(|publish| publish.settled()).unwrap_or_else(|| panic!("{text} is not settled"))
    });
    let entry = |mapping: vocab::PortMapping| {
        let host_ip = match mapping.host_address {
            vocab::HostAddress::Any => String::new(),
            vocab::HostAddress::AnyV4 => "0.0.0.0".to_owned(),
            vocab::HostAddress::AnyV6 => "::".to_owned(),
            vocab::HostAddress::One(address) => address.to_string(),
        };
        json!({
            "hostPort": mapping.host_port.get(),
            "containerPort": mapping.container_port.get(),
            "protocol": mapping.protocol.as_str(),
            "hostIP": host_ip,
        })
    };
    let mappings: Value = mappings.map(entry).collect();
    json!({
        "cniVersion": "1.1.0",
        "name": "net",
        "type": "portmap",
        "capabilities": {"portMappings": true},
        "runtimeConfig": {"portMappings": mappings},
    })
}

/// A plugin that needs no keys of its own.
#[must_use]
pub fn bare(plugin: &str) -> Value {
    json!({"cniVersion": "1.1.0", "name": "net", "type": plugin})
}

/// `config` with the keys of `more` put over its own; `null` takes a key away.
#[must_use]
pub fn with(mut config: Value, more: Value) -> Value {
    if let (Value::Object(config), Value::Object(more)) = (&mut config, more) {
        for (key, value) in more {
            if value.is_null() {
                config.remove(&key);
            } else {
                config.insert(key, value);
            }
        }
    }
    config
}

/// `config` in another version.
#[must_use]
pub fn in_version(config: Value, version: &str) -> Value {
    with(config, json!({"cniVersion": version}))
}
