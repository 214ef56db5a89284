//! What Docker's keys say of a bridge network's addresses, and the `ipam` that they stand for.
//!
//! `bip` is all that is needed: the bridge has that address, containers get the rest of its network.
//! `fixed-cidr` narrows what containers get, `default-gateway` names another router than the bridge. `bip6` and
//! the keys in `-v6` say the same of IPv6.

use ipnetwork::IpNetwork;
use serde_json::{Value, json};

use crate::family::Family;
use crate::spelling::{V4, V6};
use crate::wish::{InvalidWish, Wish};

/// What the keys say, found consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shorthand {
    families: Vec<Family>,
}

impl Shorthand {
    /// Finds out what `wish` says.
    ///
    /// # Errors
    /// [`InvalidWish`] for each combination that cannot work.
    pub fn new(wish: &Wish) -> Result<Self, InvalidWish> {
        let v4 = Family::read(&V4, wish.bip.as_deref(), wish.fixed_cidr.as_deref(), wish.gateway)?;
        let v6 = Family::read(&V6, wish.bip6.as_deref(), wish.fixed_cidr_v6.as_deref(), wish.gateway_v6)?;
        Ok(Self { families: v4.into_iter().chain(v6).collect() })
    }

    /// The families that have addresses, IPv4 first.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// The addresses of the bridge.
    #[must_use]
    pub fn bridge_addresses(&self) -> Vec<IpNetwork> {
        self.families.iter().map(Family::bridge).collect()
    }

    /// The `ipam` object that says the same.
    #[must_use]
    pub fn ipam(&self) -> Value {
        let ranges: Vec<Value> = self.families.iter().map(Family::range_set).collect();
        let default = |family: &Family| if family.bridge().is_ipv4() { "0.0.0.0/0" } else { "::/0" };
        let routes: Vec<Value> = self.families.iter().map(|family| json!({"dst": default(family)})).collect();
        json!({"type": "host-local", "ranges": ranges, "routes": routes})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wish::Reason;

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
    fn each_family_tells_what_it_is_made_of() {
        let wish = Wish {
            fixed_cidr_v6: Some("fd00:5::/64".into()),
            ..wish("192.168.1.5/24", "192.168.1.128/25", "192.168.1.254")
        };
        let shorthand = Shorthand::new(&wish).unwrap();
        let [v4, v6] = shorthand.families() else { panic!("{shorthand:?}") };
        let told = |family: &Family| {
            let (first, last) = family.pool();
            format!("{} {} {first} {last} {}", family.subnet(), family.bridge(), family.gateway())
        };
        assert_eq!(told(v4), "192.168.1.0/24 192.168.1.5/24 192.168.1.128 192.168.1.254 192.168.1.254");
        assert_eq!(told(v6), "fd00:5::/64 fd00:5::1/64 fd00:5::1 fd00:5::ffff:ffff:ffff:ffff fd00:5::1");
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
    fn a_router_that_has_the_first_address_leaves_the_bridge_the_second() {
        let shorthand = Shorthand::new(&wish("", "172.30.0.0/16", "172.30.0.1")).unwrap();
        assert_eq!(shorthand.bridge_addresses()[0].to_string(), "172.30.0.2/16");
        assert_eq!(shorthand.families()[0].gateway().to_string(), "172.30.0.1");
    }

    #[test]
    fn ipv6_has_a_network_beside_it() {
        let wish = Wish { fixed_cidr_v6: Some("fd00:5::/64".into()), ..wish("10.1.0.1/24", "", "") };
        let shorthand = Shorthand::new(&wish).unwrap();
        assert_eq!(shorthand.bridge_addresses()[1].to_string(), "fd00:5::1/64");
        assert_eq!(shorthand.ipam()["routes"][1]["dst"], "::/0");
    }

    #[test]
    fn bip6_means_for_ipv6_what_bip_means_for_ipv4() {
        let wish = Wish {
            bip6: Some("2001:db8::1111/64".into()),
            fixed_cidr_v6: Some("2001:db8::8000/113".into()),
            gateway_v6: Some("2001:db8::9".parse().unwrap()),
            ..Wish::default()
        };
        let set = &Shorthand::new(&wish).unwrap().ipam()["ranges"];
        let range = json!({"subnet": "2001:db8::/64", "rangeStart": "2001:db8::8000",
                           "rangeEnd": "2001:db8::ffff", "gateway": "2001:db8::9"});
        assert_eq!(*set, json!([[range]]));
    }

    #[test]
    fn what_cannot_work_is_named_with_its_value() {
        let v6 = |bip6: &str, range: &str| Wish {
            bip6: Some(bip6.to_owned()),
            fixed_cidr_v6: Some(range.to_owned()).filter(|range| !range.is_empty()),
            ..Wish::default()
        };
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
            (v6("fd00::", ""), "bip6: fd00::: expected the bridge's IPv6 address and prefix length"),
            (v6("fd00::/64", ""), "bip6: fd00::/64: expected the address of a host"),
            (v6("10.0.0.1/8", ""), "bip6: 10.0.0.1/8: expected an IPv6 address; bip makes the IPv4 network"),
            (v6("fd00::1/64", "x"), "fixed-cidr-v6: x: expected a network such as fd00:1::8000/113"),
            (v6("fd00::1/64", "fd00:1::/64"), "expected a part of bip6's network fd00::/64"),
        ];
        for (wish, expected) in cases {
            let error = Shorthand::new(&wish).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should say {expected}");
        }
    }

    #[test]
    fn an_error_of_two_keys_names_the_other_one() {
        let beside = |wish: &Wish| Shorthand::new(wish).unwrap_err().beside;
        assert_eq!(beside(&wish("192.168.1.5/24", "10.20.0.0/16", "")), Some("bip"));
        assert_eq!(beside(&wish("192.168.1.5/24", "192.168.1.128/25", "10.20.1.1")), Some("bip"));
        assert_eq!(beside(&wish("", "172.30.0.0/16", "10.20.1.1")), Some("fixed-cidr"));
        assert_eq!(beside(&wish("192.168.1.5", "", "")), None);
    }

    #[test]
    fn a_pool_without_an_address_for_a_container_has_no_room() {
        let room = |bip, fixed, gateway| {
            Shorthand::new(&wish(bip, fixed, gateway)).unwrap().families()[0].has_room()
        };
        assert!(room("192.168.1.5/24", "192.168.1.6/32", ""));
        assert!(!room("192.168.1.5/24", "192.168.1.5/32", ""), "the bridge has it");
        assert!(!room("192.168.1.5/24", "192.168.1.0/32", ""), "nobody can have it");
        assert!(!room("192.168.1.1/24", "192.168.1.0/31", ""), "the bridge, and nobody");
        assert!(!room("", "192.168.1.0/30", "192.168.1.2"), "the bridge has one, the router the other");
        assert!(room("", "192.168.1.0/30", ""));
    }

    #[test]
    fn the_networks_that_are_named_have_no_host_bits() {
        let wish =
            Wish { fixed_cidr_v6: Some("fd00::5/64".into()), ..wish("10.1.0.1/24", "10.1.0.129/25", "") };
        let told: Vec<_> = wish.networks().unwrap().iter().map(|(key, net)| format!("{key} {net}")).collect();
        assert_eq!(told, ["bip 10.1.0.0/24", "fixed-cidr 10.1.0.128/25", "fixed-cidr-v6 fd00::/64"]);
        let wrong = Wish { fixed_cidr: Some("fd00::/64".into()), ..Wish::default() };
        assert_eq!(wrong.networks().unwrap_err().reason, Reason::Network);
    }
}
