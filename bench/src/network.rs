//! The networks that containers are attached to: bridge and host-local, as a CNI configuration.

use crate::side::Side;
use serde_json::{Value, json};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a network offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its addresses.
    pub stack: Stack,
    /// Whether the host masks its containers.
    pub masquerade: bool,
}

/// Which addresses a container gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// One, of IPv4.
    Ipv4,
    /// One of IPv4 and one of IPv6.
    Dual,
}

/// One network of one side.
#[derive(Clone, Debug)]
pub struct Network {
    name: String,
    bridge: String,
    subnet: Subnet,
    config: Value,
}

/// 10.N.0.0/16 and fd00:N::/64.
#[derive(Clone, Copy, Debug)]
struct Subnet(u8);

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stack {
            Stack::Ipv4 => "IPv4",
            Stack::Dual => "dual stack",
        })?;
        f.write_str(if self.masquerade { ", ipMasq" } else { "" })
    }
}

impl Network {
    /// The network with which a side shows what it does with a shape. Nobody else has the same name, bridge
    /// or addresses; the lengths of all names are the same.
    #[must_use]
    pub fn new(side: &Side, shape: Shape) -> Self {
        let number = match (shape.stack, shape.masquerade) {
            (Stack::Ipv4, false) => 0,
            (Stack::Ipv4, true) => 1,
            (Stack::Dual, false) => 2,
            (Stack::Dual, true) => 3,
        };
        let (name, bridge) =
            (format!("bench{}-{number}", side.number), format!("br{}-{number}", side.number));
        let subnet = Subnet(110 + 10 * side.number + number);
        let ranges = subnet.texts(shape.stack).map(|(subnet, _)| json!([{ "subnet": subnet }]));
        let routes = subnet.texts(shape.stack).map(|(_, all)| json!({ "dst": all }));
        let config = json!({
            "cniVersion": "1.0.0",
            "name": name,
            "type": "bridge",
            "bridge": bridge,
            "isGateway": true,
            "ipMasq": shape.masquerade,
            "ipam": {
                "type": "host-local",
                "ranges": ranges.collect::<Vec<_>>(),
                "routes": routes.collect::<Vec<_>>(),
            },
        });
        Self { name, bridge, subnet, config }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its bridge.
    #[must_use]
    pub fn bridge(&self) -> &str {
        &self.bridge
    }

    /// The address of the bridge: of the second family for containers with two.
    #[must_use]
    pub fn gateway(&self, stack: Stack) -> IpAddr {
        let (ipv4, ipv6) = self.address(1);
        match stack {
            Stack::Ipv4 => ipv4.into(),
            Stack::Dual => ipv6.into(),
        }
    }

    /// The nth address of each family.
    #[must_use]
    pub fn address(&self, nth: u32) -> (Ipv4Addr, Ipv6Addr) {
        let (ipv4, ipv6) = self.subnet.bases();
        (Ipv4Addr::from_bits(ipv4.to_bits() + nth), Ipv6Addr::from_bits(ipv6.to_bits() + u128::from(nth)))
    }

    /// What a plugin of this network reads; with the result of ADD for the verbs that follow it.
    #[must_use]
    pub fn stdin(&self, previous: Option<&Value>) -> String {
        let mut config = self.config.clone();
        if let Some(previous) = previous {
            config["prevResult"] = previous.clone();
        }
        config.to_string()
    }
}

/// The length of the IPv4 prefix of every network.
pub const PREFIX_IPV4: u8 = 16;
/// The length of the IPv6 prefix of every network.
pub const PREFIX_IPV6: u8 = 64;

impl Subnet {
    fn bases(self) -> (Ipv4Addr, Ipv6Addr) {
        let ipv6 = Ipv6Addr::new(0xfd00, self.0.into(), 0, 0, 0, 0, 0, 0);
        (Ipv4Addr::new(10, self.0, 0, 0), ipv6)
    }

    /// The subnet and "everywhere" in each family.
    fn texts(self, stack: Stack) -> impl Iterator<Item = (String, &'static str)> {
        let (ipv4, ipv6) = self.bases();
        let ipv6 = (stack == Stack::Dual).then(|| (format!("{ipv6}/{PREFIX_IPV6}"), "::/0"));
        [(format!("{ipv4}/{PREFIX_IPV4}"), "0.0.0.0/0")].into_iter().chain(ipv6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::side::Written;

    fn network(number: u8, stack: Stack) -> Network {
        let side = Side { name: "ours", number, folder: "/plugins".into(), written: Written::ByUs };
        Network::new(&side, Shape { stack, masquerade: true })
    }

    #[test]
    fn sides_differ_in_nothing_but_one_digit() {
        let ours = network(2, Stack::Dual).stdin(None);
        let reference = network(1, Stack::Dual).stdin(None);
        assert_ne!(ours, reference);
        assert_eq!(ours.len(), reference.len());
    }

    #[test]
    fn the_gateway_is_the_first_address() {
        assert_eq!(network(1, Stack::Ipv4).gateway(Stack::Ipv4).to_string(), "10.121.0.1");
        assert_eq!(network(1, Stack::Dual).gateway(Stack::Dual).to_string(), "fd00:7b::1");
    }

    #[test]
    fn a_previous_result_goes_into_the_configuration() {
        let stdin = network(1, Stack::Ipv4).stdin(Some(&json!({ "ips": [] })));
        let config: Value = serde_json::from_str(&stdin).unwrap();
        assert_eq!(config["prevResult"], json!({ "ips": [] }));
        assert_eq!(config["ipam"]["ranges"], json!([[{ "subnet": "10.121.0.0/16" }]]));
    }
}
