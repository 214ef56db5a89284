//! Results that others wrote, in any version.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Dns, Interface, Ip, ResultError, Route, Success};
use crate::text::{Cidr, OptionalIp};
use crate::{Version, decode};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stamp {
    #[serde(rename = "cniVersion")]
    version: String,
}

/// 0.3.0 and later. The family that versions up to 0.4.0 write beside an address is known from the address.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Modern {
    interfaces: Vec<Interface>,
    ips: Vec<ModernIp>,
    routes: Vec<ModernRoute>,
    dns: Dns,
}

#[derive(Deserialize)]
struct ModernIp {
    address: Cidr,
    #[serde(default)]
    gateway: OptionalIp,
    #[serde(default)]
    interface: Option<i64>,
}

#[derive(Deserialize)]
struct ModernRoute {
    dst: Cidr,
    #[serde(default)]
    gw: OptionalIp,
    #[serde(default)]
    mtu: u32,
    #[serde(default)]
    advmss: u32,
    #[serde(default)]
    priority: u32,
    #[serde(default)]
    table: Option<u32>,
    #[serde(default)]
    scope: Option<u8>,
}

/// 0.1.0 and 0.2.0.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Ancient {
    ip4: Option<AncientIp>,
    ip6: Option<AncientIp>,
    dns: Dns,
}

#[derive(Deserialize)]
struct AncientIp {
    ip: Cidr,
    #[serde(default)]
    gateway: OptionalIp,
    #[serde(default)]
    routes: Vec<ModernRoute>,
}

impl From<ModernRoute> for Route {
    fn from(route: ModernRoute) -> Self {
        let given = |number: u32| (number != 0).then_some(number);
        Self {
            dst: route.dst.0,
            gw: route.gw.0,
            mtu: given(route.mtu),
            advmss: given(route.advmss),
            priority: given(route.priority),
            table: route.table,
            scope: route.scope,
        }
    }
}

impl<'de> Deserialize<'de> for Route {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ModernRoute::deserialize(deserializer).map(Self::from)
    }
}

impl Ip {
    fn new(address: IpNetwork, gateway: Option<IpAddr>, interface: Option<i64>) -> Self {
        Self { address, gateway, interface: interface.and_then(|index| usize::try_from(index).ok()) }
    }
}

impl Success {
    /// Reads a result; one that does not say its version is of version `unmarked`.
    ///
    /// # Errors
    /// [`ResultError`] that names the field.
    pub fn read(value: &Value, unmarked: Version) -> Result<Self, ResultError> {
        let stamp: Stamp = decode(value, "").map_err(ResultError::Decode)?;
        let version = match stamp.version.as_str() {
            "" => unmarked,
            text => Version::parse(text).map_err(ResultError::Version)?,
        };
        if version < Version::V0_3_0 {
            decode::<Ancient>(value, "").map(Self::from).map_err(ResultError::Decode)
        } else {
            decode::<Modern>(value, "").map(Self::from).map_err(ResultError::Decode)
        }
    }
}

impl From<Modern> for Success {
    fn from(result: Modern) -> Self {
        let ips = result.ips.into_iter().map(|ip| Ip::new(ip.address.0, ip.gateway.0, ip.interface));
        Self {
            interfaces: result.interfaces,
            ips: ips.collect(),
            routes: result.routes.into_iter().map(Route::from).collect(),
            dns: result.dns,
        }
    }
}

impl From<Ancient> for Success {
    fn from(result: Ancient) -> Self {
        let mut success = Self { dns: result.dns, ..Self::default() };
        for family in [result.ip4, result.ip6].into_iter().flatten() {
            success.ips.push(Ip::new(family.ip.0, family.gateway.0, None));
            success.routes.extend(family.routes.into_iter().map(Route::from));
        }
        success
    }
}
