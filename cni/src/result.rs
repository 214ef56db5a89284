//! What an ADD answers, in every version of the specification.
//!
//! Inside there is one form, the newest. [`read`] takes what others wrote in any version to it, [`write`]
//! puts it in the version that a configuration asks for.

mod read;
mod write;

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use crate::{Code, Fault, Mismatch, Version};

/// A result that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// A field does not hold what was expected.
    #[error("decode result")]
    Decode(#[source] Mismatch),
    /// The version of the result is not known.
    #[error("decode result")]
    Version(#[source] crate::UnknownVersion),
    /// Versions 0.1.0 and 0.2.0 have no way to say "no address".
    #[error("convert result to cniVersion {version}: it has no IP address, and that version cannot say so")]
    NoAddress {
        /// The version asked for.
        version: Version,
    },
    /// The JSON writer failed.
    #[error("encode result")]
    Encode(#[source] serde_json::Error),
}

impl Fault for ResultError {
    fn code(&self) -> Code {
        match self {
            Self::Decode(_) | Self::Encode(_) => Code::DECODING,
            Self::Version(_) | Self::NoAddress { .. } => Code::INCOMPATIBLE_VERSION,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::NoAddress { .. })
            .then(|| "set cniVersion to 0.3.0 or later for a network without addresses".to_owned())
    }
}

/// The result of an ADD (CNI spec, section 5, "ADD Success").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Success {
    /// The interfaces that the attachment made or uses, on both sides.
    pub interfaces: Vec<Interface>,
    /// The addresses of the container.
    pub ips: Vec<Ip>,
    /// The routes of the container.
    pub routes: Vec<Route>,
    /// How names are resolved.
    pub dns: Dns,
}

/// One interface of a result. Its texts are what some plugin wrote: they are shown and compared, never used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its link-layer address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac: String,
    /// Its MTU in bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub mtu: u32,
    /// The namespace it is in; empty for the host's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sandbox: String,
    /// The socket file of a userspace interface.
    #[serde(rename = "socketPath", skip_serializing_if = "String::is_empty")]
    pub socket_path: String,
    /// The PCI address of its device.
    #[serde(rename = "pciID", skip_serializing_if = "String::is_empty")]
    pub pci_id: String,
}

/// Serde has no other way to leave out a number that is not given.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One address of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    /// The address and the length of its network's prefix.
    pub address: IpNetwork,
    /// The router of that network.
    pub gateway: Option<IpAddr>,
    /// Which of [`Success::interfaces`] has it.
    pub interface: Option<usize>,
}

/// One route of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it leads.
    pub dst: IpNetwork,
    /// The next hop; without one the address's gateway is meant.
    pub gw: Option<IpAddr>,
    /// The MTU in bytes along the route.
    pub mtu: Option<u32>,
    /// The TCP maximum segment size in bytes that is announced along the route.
    pub advmss: Option<u32>,
    /// Its metric; the smaller wins.
    pub priority: Option<u32>,
    /// The table it stands in.
    pub table: Option<u32>,
    /// Its scope (`rtnetlink(7)`, `rtm_scope`).
    pub scope: Option<u8>,
}

impl Route {
    /// A route to `dst` by the gateway of the address.
    #[must_use]
    pub const fn to(dst: IpNetwork) -> Self {
        Self { dst, gw: None, mtu: None, advmss: None, priority: None, table: None, scope: None }
    }
}

/// How the container resolves names (CNI spec, section 1, `dns`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dns {
    /// Addresses of name servers, in order of preference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nameservers: Vec<String>,
    /// The domain of the container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Domains that short names are tried in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Options of the resolver (`resolv.conf(5)`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl Dns {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn full() -> Success {
        let ip = |address: &str, gateway: &str| Ip {
            address: address.parse().unwrap(),
            gateway: Some(gateway.parse().unwrap()),
            interface: Some(1),
        };
        let host =
            Interface { name: "veth1".into(), mac: "02:00:00:00:00:01".into(), ..Interface::default() };
        let container = Interface {
            name: "eth0".into(),
            mac: "02:00:00:00:00:02".into(),
            sandbox: "/run/netns/a".into(),
            ..Interface::default()
        };
        let mut via = Route::to("10.1.0.0/16".parse().unwrap());
        via.gw = Some("10.0.0.9".parse().unwrap());
        Success {
            interfaces: vec![host, container],
            ips: vec![ip("10.0.0.2/24", "10.0.0.1"), ip("fd00::2/64", "fd00::1")],
            routes: vec![Route::to("0.0.0.0/0".parse().unwrap()), via, Route::to("::/0".parse().unwrap())],
            dns: Dns { nameservers: vec!["192.0.2.1".into()], ..Dns::default() },
        }
    }

    fn written(success: &Success, version: Version) -> Value {
        serde_json::from_slice(&success.write(version).unwrap()).unwrap()
    }

    #[test]
    fn versions_from_0_3_0_lose_nothing() {
        for version in &Version::ALL[2..] {
            let value = written(&full(), *version);
            assert_eq!(value["cniVersion"], version.as_str());
            assert_eq!(Success::read(&value, Version::V0_1_0).unwrap(), full(), "{version}");
            assert_eq!(full().to_value(*version).unwrap(), value, "{version}");
        }
    }

    #[test]
    fn families_are_named_up_to_0_4_0_only() {
        assert_eq!(written(&full(), Version::V0_4_0)["ips"][1]["version"], "6");
        assert_eq!(written(&full(), Version::V1_0_0)["ips"][1].get("version"), None);
        assert_eq!(written(&Success::default(), Version::V0_3_1), json!({"cniVersion": "0.3.1", "dns": {}}));
        assert_eq!(written(&Success::default(), Version::V1_1_0), json!({"cniVersion": "1.1.0"}));
    }

    #[test]
    fn the_first_versions_have_one_address_a_family_and_its_routes() {
        for version in [Version::V0_1_0, Version::V0_2_0] {
            let value = written(&full(), version);
            let expected = json!({
                "cniVersion": version.as_str(),
                "ip4": {"ip": "10.0.0.2/24", "gateway": "10.0.0.1",
                        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.1.0.0/16", "gw": "10.0.0.9"}]},
                "ip6": {"ip": "fd00::2/64", "gateway": "fd00::1", "routes": [{"dst": "::/0"}]},
                "dns": {"nameservers": ["192.0.2.1"]},
            });
            assert_eq!(value, expected);
            let back = Success::read(&value, Version::V0_1_0).unwrap();
            assert_eq!(back.ips.len(), 2);
            assert_eq!(back.routes.len(), 3);
        }
    }

    #[test]
    fn a_result_without_an_address_cannot_be_said_in_the_first_versions() {
        let error = Success::default().write(Version::V0_2_0).unwrap_err();
        assert_eq!(error.code(), Code::INCOMPATIBLE_VERSION);
    }

    #[test]
    fn the_text_is_indented_as_the_reference_does() {
        let text = String::from_utf8(full().write(Version::V1_0_0).unwrap()).unwrap();
        assert!(text.starts_with("{\n    \"cniVersion\": \"1.0.0\",\n    \"dns\": {"), "{text}");
        assert!(!text.ends_with('\n'));
    }

    #[test]
    fn an_empty_gateway_is_none_and_a_bad_one_is_named() {
        let value = json!({"ips": [{"address": "10.0.0.2/24", "gateway": "", "interface": 0}]});
        assert_eq!(Success::read(&value, Version::V1_0_0).unwrap().ips[0].gateway, None);
        for (field, bad) in [("address", "10.0.0.2"), ("address", "10.0.0.2/33"), ("gateway", "10.0.0.256")] {
            let mut ip = json!({"address": "10.0.0.2/24"});
            ip[field] = json!(bad);
            let error = Success::read(&json!({ "ips": [ip] }), Version::V1_0_0).unwrap_err();
            let text = crate::Failure::from(error).to_string();
            assert!(text.contains(&format!("ips[0].{field}")) && text.contains(bad), "{text}");
        }
    }
}
