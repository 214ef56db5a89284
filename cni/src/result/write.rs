//! Results as a configuration's version wants them.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Dns, Interface, Ip, ResultError, Route, Success};
use crate::{Version, json};

/// 1.0.0 and later; the reference writes the keys in the order of the alphabet.
#[derive(Serialize)]
struct Modern<'a> {
    #[serde(rename = "cniVersion")]
    version: &'static str,
    #[serde(skip_serializing_if = "Dns::is_empty")]
    dns: &'a Dns,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    interfaces: &'a [Interface],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<WrittenIp>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    routes: &'a [Route],
}

/// 0.3.0 to 0.4.0: each address with its family, `dns` always there.
#[derive(Serialize)]
struct Middle<'a> {
    #[serde(rename = "cniVersion")]
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    interfaces: Vec<MiddleInterface<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ips: Vec<WrittenIp>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    routes: &'a [Route],
    dns: &'a Dns,
}

#[derive(Serialize)]
struct MiddleInterface<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mac: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sandbox: &'a str,
}

#[derive(Serialize)]
struct WrittenIp {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<usize>,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
}

/// 0.1.0 and 0.2.0: the first address of each family.
#[derive(Serialize)]
struct Ancient<'a> {
    #[serde(rename = "cniVersion")]
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip4: Option<AncientIp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip6: Option<AncientIp>,
    dns: &'a Dns,
}

#[derive(Serialize)]
struct AncientIp {
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<IpAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<AncientRoute>,
}

#[derive(Serialize)]
struct AncientRoute {
    dst: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    gw: Option<IpAddr>,
}

impl Serialize for Route {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written {
            dst: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            gw: Option<IpAddr>,
            #[serde(skip_serializing_if = "Option::is_none")]
            mtu: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            advmss: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            priority: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            table: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            scope: Option<u8>,
        }
        let Self { dst, gw, mtu, advmss, priority, table, scope } = *self;
        Written { dst: dst.to_string(), gw, mtu, advmss, priority, table, scope }.serialize(serializer)
    }
}

const fn family(address: &IpNetwork) -> &'static str {
    match address {
        IpNetwork::V4(_) => "4",
        IpNetwork::V6(_) => "6",
    }
}

impl Success {
    /// Writes the result in `version`, as text indented by four spaces like the reference's.
    ///
    /// # Errors
    /// [`ResultError::NoAddress`] for a result that versions 0.1.0 and 0.2.0 cannot express.
    pub fn write(&self, version: Version) -> Result<Vec<u8>, ResultError> {
        match version {
            Version::V0_1_0 | Version::V0_2_0 => json::indented(&self.ancient(version)?),
            Version::V0_3_0 | Version::V0_3_1 | Version::V0_4_0 => json::indented(&self.middle(version)),
            Version::V1_0_0 | Version::V1_1_0 => json::indented(&self.modern(version)),
        }
        .map_err(ResultError::Encode)
    }

    /// The result in `version` as a JSON value: what stands in a `prevResult` or in the cache of a runtime.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn to_value(&self, version: Version) -> Result<Value, ResultError> {
        match version {
            Version::V0_1_0 | Version::V0_2_0 => serde_json::to_value(self.ancient(version)?),
            Version::V0_3_0 | Version::V0_3_1 | Version::V0_4_0 => serde_json::to_value(self.middle(version)),
            Version::V1_0_0 | Version::V1_1_0 => serde_json::to_value(self.modern(version)),
        }
        .map_err(ResultError::Encode)
    }

    fn modern(&self, version: Version) -> Modern<'_> {
        Modern {
            version: version.as_str(),
            dns: &self.dns,
            interfaces: &self.interfaces,
            ips: self.written_ips(|_| None),
            routes: &self.routes,
        }
    }

    fn middle(&self, version: Version) -> Middle<'_> {
        let interfaces = self.interfaces.iter();
        Middle {
            version: version.as_str(),
            interfaces: interfaces
                .map(|Interface { name, mac, sandbox, .. }| MiddleInterface { name, mac, sandbox })
                .collect(),
            ips: self.written_ips(|ip| Some(family(&ip.address))),
            routes: &self.routes,
            dns: &self.dns,
        }
    }

    fn written_ips(&self, version: impl Fn(&Ip) -> Option<&'static str>) -> Vec<WrittenIp> {
        let ips = self.ips.iter();
        ips.map(|ip| WrittenIp {
            version: version(ip),
            interface: ip.interface,
            address: ip.address.to_string(),
            gateway: ip.gateway,
        })
        .collect()
    }

    fn ancient(&self, version: Version) -> Result<Ancient<'_>, ResultError> {
        let ip4 = self.first_of(IpNetwork::is_ipv4);
        let ip6 = self.first_of(IpNetwork::is_ipv6);
        if ip4.is_none() && ip6.is_none() {
            return Err(ResultError::NoAddress { version });
        }
        Ok(Ancient { version: version.as_str(), ip4, ip6, dns: &self.dns })
    }

    fn first_of(&self, is_family: fn(&IpNetwork) -> bool) -> Option<AncientIp> {
        let ip = self.ips.iter().find(|ip| is_family(&ip.address))?;
        let routes = self.routes.iter().filter(|route| is_family(&route.dst));
        Some(AncientIp {
            ip: ip.address.to_string(),
            gateway: ip.gateway,
            routes: routes.map(|route| AncientRoute { dst: route.dst.to_string(), gw: route.gw }).collect(),
        })
    }
}
