//! Which addresses it will be: the last one who says something is heard.

use std::net::IpAddr;

use cni::{Cidr, Ip, Version};
use ipnetwork::IpNetwork;

use crate::config::Wishes;
use crate::error::PlanError;

/// The addresses, in the order in which they were named.
pub(crate) type Plan = Vec<Ip>;

/// Addresses of `CNI_ARGS` come on top of the configuration's; those of `args.cni.ips` take the place of
/// both, those of `runtimeConfig.ips` the place of all.
pub(crate) fn plan_addresses(wishes: &Wishes, version: Version) -> Result<Plan, PlanError> {
    let plan = match wishes {
        Wishes { runtime_ips, .. } if !runtime_ips.is_empty() => of_list(runtime_ips),
        Wishes { args_ips, .. } if !args_ips.is_empty() => of_list(args_ips),
        _ => of_config_and_words(wishes)?,
    };
    refuse_too_many(&plan, version)?;
    Ok(plan)
}

fn of_list(addresses: &[Cidr]) -> Plan {
    addresses.iter().map(|address| ip(*address, None)).collect()
}

fn of_config_and_words(wishes: &Wishes) -> Result<Plan, PlanError> {
    let mut plan: Plan = wishes.addresses.iter().map(|wish| ip(wish.address, wish.gateway.0)).collect();
    for text in pieces(wishes.args_ip.as_deref()) {
        let expected = "an address and a prefix length such as 10.22.0.5/16";
        let invalid = |_| PlanError::Args { key: "CNI_ARGS IP", value: text.to_owned(), expected };
        plan.push(ip(text.parse().map_err(invalid)?, None));
    }
    for text in pieces(wishes.args_gateway.as_deref()) {
        let invalid = |_| PlanError::Args {
            key: "CNI_ARGS GATEWAY",
            value: text.to_owned(),
            expected: "an IP address",
        };
        let gateway: IpAddr = text.parse().map_err(invalid)?;
        for ip in plan.iter_mut().filter(|ip| ip.address.contains(gateway)) {
            ip.gateway = Some(gateway);
        }
    }
    Ok(plan)
}

fn pieces(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.into_iter().flat_map(|list| list.split(',')).map(str::trim)
}

fn ip(Cidr(address): Cidr, gateway: Option<IpAddr>) -> Ip {
    Ip {
        address: canonical(address),
        gateway: gateway.map(|gateway| gateway.to_canonical()),
        interface: None,
    }
}

/// An IPv4 address in the dress of an IPv6 one is an IPv4 address.
fn canonical(address: IpNetwork) -> IpNetwork {
    let plain = address.prefix().checked_sub(96).filter(|_| address.ip().to_canonical() != address.ip());
    plain.and_then(|prefix| IpNetwork::new(address.ip().to_canonical(), prefix).ok()).unwrap_or(address)
}

/// The first versions have one address of a family.
fn refuse_too_many(plan: &Plan, version: Version) -> Result<(), PlanError> {
    let v4 = plan.iter().filter(|ip| ip.address.is_ipv4()).count();
    if version < Version::V0_3_0 && (v4 > 1 || plan.len() - v4 > 1) {
        return Err(PlanError::TooMany { version });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Address;
    use cni::OptionalIp;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn wishes() -> Wishes {
        let gateway = OptionalIp(Some("10.9.0.1".parse().unwrap()));
        Wishes { addresses: vec![Address { address: cidr("10.9.0.5/24"), gateway }], ..Wishes::default() }
    }

    fn plan(wishes: &Wishes) -> Vec<String> {
        let plan = plan_addresses(wishes, Version::V1_0_0).unwrap();
        let text = |ip: &Ip| match ip.gateway {
            Some(gateway) => format!("{} by {gateway}", ip.address),
            None => ip.address.to_string(),
        };
        plan.iter().map(text).collect()
    }

    #[test]
    fn words_of_the_call_come_on_top_of_the_configuration() {
        let mut wishes = wishes();
        assert_eq!(plan(&wishes), ["10.9.0.5/24 by 10.9.0.1"]);
        wishes.args_ip = Some("10.8.0.5/24, fd00::5/64".to_owned());
        wishes.args_gateway = Some("10.8.0.1,10.9.0.254, 192.168.0.1".to_owned());
        assert_eq!(plan(&wishes), ["10.9.0.5/24 by 10.9.0.254", "10.8.0.5/24 by 10.8.0.1", "fd00::5/64"]);
    }

    #[test]
    fn each_list_takes_the_place_of_the_ones_before() {
        let mut wishes = wishes();
        wishes.args_ip = Some("10.8.0.5/24".to_owned());
        wishes.args_gateway = Some("10.6.0.1,10.5.0.1".to_owned());
        wishes.args_ips = vec![cidr("10.6.0.5/24")];
        assert_eq!(plan(&wishes), ["10.6.0.5/24"]);
        wishes.runtime_ips = vec![cidr("10.5.0.5/24"), cidr("fd00::5/64")];
        assert_eq!(plan(&wishes), ["10.5.0.5/24", "fd00::5/64"]);
    }

    #[test]
    fn an_ipv4_address_may_be_written_as_an_ipv6_one() {
        let wishes = Wishes { runtime_ips: vec![cidr("::ffff:10.9.0.5/120")], ..Wishes::default() };
        assert_eq!(plan(&wishes), ["10.9.0.5/24"]);
    }

    #[test]
    fn a_bad_word_is_named() {
        let mut wishes = wishes();
        wishes.args_ip = Some("10.8.0.5".to_owned());
        let error = plan_addresses(&wishes, Version::V1_0_0).unwrap_err().to_string();
        assert!(error.contains("CNI_ARGS IP: \"10.8.0.5\": expected an address and a prefix"), "{error}");
        wishes.args_ip = None;
        wishes.args_gateway = Some("10.8.0.1,zz".to_owned());
        let error = plan_addresses(&wishes, Version::V1_0_0).unwrap_err().to_string();
        assert!(error.contains("CNI_ARGS GATEWAY: \"zz\": expected an IP address"), "{error}");
    }

    #[test]
    fn the_first_versions_have_one_address_of_a_family() {
        let mut wishes =
            Wishes { runtime_ips: vec![cidr("10.5.0.5/24"), cidr("fd00::5/64")], ..Wishes::default() };
        assert!(plan_addresses(&wishes, Version::V0_2_0).is_ok());
        wishes.runtime_ips.push(cidr("10.5.0.6/24"));
        let version = Version::V0_2_0;
        assert_eq!(plan_addresses(&wishes, version).unwrap_err(), PlanError::TooMany { version });
    }
}
