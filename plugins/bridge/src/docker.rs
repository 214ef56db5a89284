//! Docker's keys for a bridge network, and the `ipam` that they stand for.
//!
//! `bip` is all that is needed: the bridge has that address, containers get the rest of its network.
//! `fixed-cidr` narrows what containers get, `default-gateway` names another router than the bridge.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use serde_json::{Value, json};
use vocab::{InterfaceName, NetworkName};

use crate::error::ConfigFault;

/// The keys as they are written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) bip: Option<String>,
    pub(crate) fixed_cidr: Option<String>,
    pub(crate) fixed_cidr_v6: Option<String>,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) gateway_v6: Option<IpAddr>,
}

/// What the keys say, found consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shorthand {
    families: Vec<Family>,
}

/// One family of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Family {
    /// The bridge's address, with the length of the network's prefix.
    bridge: IpNetwork,
    /// First and last address that containers get.
    pool: (IpAddr, IpAddr),
    /// The containers' router.
    gateway: IpAddr,
}

/// The name of the bridge when none is given: the network's, as Docker users know it from
/// `com.docker.network.bridge.name`, or `br-` and a hash where the network's name is too long for one.
pub(crate) fn bridge_name(network: &NetworkName) -> Result<InterfaceName, ConfigFault> {
    let hash = network.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let own = InterfaceName::new(network.as_str());
    let name = own.or_else(|_| InterfaceName::new(&format!("br-{:012x}", hash >> 16)));
    name.map_err(|error| ConfigFault::value("name", network, error.reason))
}

impl Shorthand {
    /// Finds out what `wish` says.
    ///
    /// # Errors
    /// [`ConfigFault`] for each combination that cannot work, with both values.
    pub(crate) fn new(wish: &Wish) -> Result<Self, ConfigFault> {
        let mut families = Vec::new();
        match (&wish.bip, &wish.fixed_cidr) {
            (Some(bip), range) => families.push(with_bip(bip, range.as_deref(), wish.gateway)?),
            (None, Some(range)) => {
                families.push(Family::of_network("fixed-cidr", range, false, wish.gateway)?)
            }
            (None, None) => {
                if let Some(gateway) = wish.gateway {
                    return Err(ConfigFault::value(
                        "default-gateway",
                        gateway,
                        "expected bip or fixed-cidr beside it",
                    ));
                }
            }
        }
        match (&wish.fixed_cidr_v6, wish.gateway_v6) {
            (Some(network), gateway) => {
                families.push(Family::of_network("fixed-cidr-v6", network, true, gateway)?);
            }
            (None, Some(gateway)) => {
                return Err(ConfigFault::value(
                    "default-gateway-v6",
                    gateway,
                    "expected fixed-cidr-v6 beside it",
                ));
            }
            (None, None) => {}
        }
        Ok(Self { families })
    }

    /// The addresses of the bridge.
    pub(crate) fn bridge_addresses(&self) -> Vec<IpNetwork> {
        self.families.iter().map(|family| family.bridge).collect()
    }

    /// The `ipam` object that says the same.
    pub(crate) fn ipam(&self) -> Value {
        let ranges: Vec<Value> = self.families.iter().map(Family::range_set).collect();
        let default = |family: &Family| if family.bridge.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
        let routes: Vec<Value> = self.families.iter().map(|family| json!({"dst": default(family)})).collect();
        json!({"type": "host-local", "ranges": ranges, "routes": routes})
    }
}

fn with_bip(bip: &str, range: Option<&str>, gateway: Option<IpAddr>) -> Result<Family, ConfigFault> {
    let expected = "expected the bridge's IPv4 address and prefix length such as 192.168.1.5/24";
    let bridge = parse("bip", bip, expected)?;
    if bridge.is_ipv6() {
        return Err(ConfigFault::value(
            "bip",
            bip,
            "expected an IPv4 address; fixed-cidr-v6 makes the IPv6 network",
        ));
    }
    let mut family = Family::new("bip", bridge)?;
    if let Some(text) = range {
        let fixed = parse("fixed-cidr", text, "expected a network such as 192.168.1.128/25")?;
        let (first, last) = bounds(fixed);
        if fixed.is_ipv6() || !bridge.contains(first) || !bridge.contains(last) {
            let reason = format!("expected a part of bip's network {}/{}", bridge.network(), bridge.prefix());
            return Err(ConfigFault::value("fixed-cidr", text, reason));
        }
        let (from, to) = family.pool;
        family.pool = (first.max(from), last.min(to));
    }
    family.with_gateway("default-gateway", gateway)
}

impl Family {
    /// A network that is given by its prefix: the bridge has its first address, or `gateway` has it.
    fn of_network(
        key: &'static str,
        text: &str,
        v6: bool,
        gateway: Option<IpAddr>,
    ) -> Result<Self, ConfigFault> {
        let example = if v6 {
            "expected a network such as fd00:1::/64"
        } else {
            "expected a network such as 172.17.0.0/16"
        };
        let network = parse(key, text, example)?;
        if network.is_ipv6() != v6 {
            return Err(ConfigFault::value(key, text, example));
        }
        let first = step(network.network(), 1);
        let bridge = match gateway {
            Some(gateway) if gateway == first => step(first, 1),
            _ => first,
        };
        let bridge = IpNetwork::new(bridge, network.prefix())
            .map_err(|_| ConfigFault::value(key, text, "expected a network with room for containers"))?;
        let gateway_key = if v6 { "default-gateway-v6" } else { "default-gateway" };
        Self::new(key, bridge)?.with_gateway(gateway_key, gateway)
    }

    fn new(key: &'static str, bridge: IpNetwork) -> Result<Self, ConfigFault> {
        let longest = if bridge.is_ipv4() { 30 } else { 126 };
        if bridge.prefix() > longest {
            let reason =
                format!("expected a prefix of at most {longest} bits, which leaves room for containers");
            return Err(ConfigFault::value(key, bridge, reason));
        }
        let (network, end) = bounds(bridge);
        if bridge.ip() == network || (bridge.is_ipv4() && bridge.ip() == end) {
            let reason = "expected the address of a host, not the network's own or its broadcast address";
            return Err(ConfigFault::value(key, bridge, reason));
        }
        let last = if bridge.is_ipv4() { step(end, -1) } else { end };
        Ok(Self { bridge, pool: (step(network, 1), last), gateway: bridge.ip() })
    }

    fn with_gateway(mut self, key: &'static str, gateway: Option<IpAddr>) -> Result<Self, ConfigFault> {
        let Some(gateway) = gateway else { return Ok(self) };
        let (network, end) = bounds(self.bridge);
        let usable =
            self.bridge.contains(gateway) && gateway != network && !(gateway.is_ipv4() && gateway == end);
        if !usable {
            let reason = format!("expected a host's address in {network}/{}", self.bridge.prefix());
            return Err(ConfigFault::value(key, gateway, reason));
        }
        self.gateway = gateway;
        Ok(self)
    }

    /// The pool as a set of ranges. host-local leaves out a range's gateway by itself; the bridge's own
    /// address, where it is not the gateway, splits the range in two.
    fn range_set(&self) -> Value {
        let (first, last) = self.pool;
        let own = self.bridge.ip();
        let mut pieces = vec![(first, last)];
        if own != self.gateway && (first..=last).contains(&own) {
            pieces.clear();
            if first < own {
                pieces.push((first, step(own, -1)));
            }
            if own < last {
                pieces.push((step(own, 1), last));
            }
        }
        let subnet = format!("{}/{}", self.bridge.network(), self.bridge.prefix());
        let range = |(from, to)| json!({"subnet": subnet, "rangeStart": from, "rangeEnd": to, "gateway": self.gateway});
        pieces.into_iter().map(range).collect()
    }
}

fn parse(key: &'static str, text: &str, expected: &'static str) -> Result<IpNetwork, ConfigFault> {
    let parsed = text.parse::<cni::Cidr>();
    parsed.map(|cidr| cidr.0).map_err(|_| ConfigFault::value(key, text, expected))
}

/// The first and the last address of a network.
fn bounds(network: IpNetwork) -> (IpAddr, IpAddr) {
    (network.network(), network.broadcast())
}

/// The address `by` further on.
fn step(address: IpAddr, by: i32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().wrapping_add_signed(by).into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().wrapping_add_signed(i128::from(by)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(bip: &str, fixed: &str, gateway: &str) -> Wish {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Wish {
            bip: given(bip),
            fixed_cidr: given(fixed),
            gateway: given(gateway).map(|text| text.parse().unwrap()),
            ..Wish::default()
        }
    }

    fn ipam(bip: &str, fixed: &str, gateway: &str) -> Value {
        Shorthand::new(&wish(bip, fixed, gateway)).unwrap().ipam()
    }

    #[test]
    fn bip_alone_is_enough() {
        let shorthand = Shorthand::new(&wish("192.168.1.5/24", "", "")).unwrap();
        assert_eq!(shorthand.bridge_addresses()[0].to_string(), "192.168.1.5/24");
        let expected = json!({
            "type": "host-local",
            "ranges": [[{"subnet": "192.168.1.0/24", "rangeStart": "192.168.1.1",
                         "rangeEnd": "192.168.1.254", "gateway": "192.168.1.5"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        });
        assert_eq!(shorthand.ipam(), expected);
    }

    #[test]
    fn fixed_cidr_narrows_what_containers_get() {
        let range = &ipam("192.168.1.5/24", "192.168.1.128/25", "")["ranges"][0][0];
        assert_eq!(range["rangeStart"], "192.168.1.128");
        assert_eq!(range["rangeEnd"], "192.168.1.254");
        assert_eq!(range["subnet"], "192.168.1.0/24");
    }

    #[test]
    fn another_router_leaves_the_bridge_its_address_and_out_of_the_pool() {
        let set = &ipam("192.168.1.5/24", "", "192.168.1.254")["ranges"][0];
        assert_eq!(set[0]["rangeEnd"], "192.168.1.4");
        assert_eq!(set[1]["rangeStart"], "192.168.1.6");
        assert_eq!(set[1]["gateway"], "192.168.1.254");
    }

    #[test]
    fn fixed_cidr_alone_is_the_network() {
        let shorthand = Shorthand::new(&wish("", "172.30.0.0/16", "")).unwrap();
        assert_eq!(shorthand.bridge_addresses()[0].to_string(), "172.30.0.1/16");
    }

    #[test]
    fn ipv6_has_a_network_beside_it() {
        let wish = Wish { fixed_cidr_v6: Some("fd00:5::/64".into()), ..wish("10.1.0.1/24", "", "") };
        let shorthand = Shorthand::new(&wish).unwrap();
        assert_eq!(shorthand.bridge_addresses()[1].to_string(), "fd00:5::1/64");
        assert_eq!(shorthand.ipam()["routes"][1]["dst"], "::/0");
    }

    #[test]
    fn what_cannot_work_is_named_with_both_values() {
        let cases = [
            (wish("192.168.1.5", "", ""), "bip"),
            (wish("192.168.1.0/24", "", ""), "bip"),
            (wish("192.168.1.255/24", "", ""), "bip"),
            (wish("192.168.1.5/31", "", ""), "bip"),
            (wish("fd00::1/64", "", ""), "bip"),
            (
                wish("192.168.1.5/24", "10.20.0.0/16", ""),
                "fixed-cidr: 10.20.0.0/16: expected a part of bip's network 192.168.1.0/24",
            ),
            (wish("192.168.1.5/24", "192.168.0.0/16", ""), "fixed-cidr"),
            (
                wish("192.168.1.5/24", "", "10.20.1.1"),
                "default-gateway: 10.20.1.1: expected a host's address in 192.168.1.0/24",
            ),
            (wish("", "", "10.20.1.1"), "default-gateway"),
        ];
        for (wish, expected) in cases {
            let error = Shorthand::new(&wish).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should say {expected}");
        }
    }

    #[test]
    fn a_long_network_name_still_has_a_bridge() {
        let long = NetworkName::new("a-network-with-a-long-name").unwrap();
        assert_eq!(bridge_name(&long).unwrap().as_str().len(), 15);
        assert_eq!(bridge_name(&NetworkName::new("mybr0").unwrap()).unwrap().as_str(), "mybr0");
    }
}
