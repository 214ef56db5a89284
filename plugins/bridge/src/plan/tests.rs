//! Golden plans: a configuration and a lease in, a readable plan out; no root, no kernel.

use std::fmt::Write as _;

use cni::{Call, Config, Environment, InProcess, Registry, Success, Version};
use vocab::Attachment;

use super::Plan;
use crate::config::{self, Settings};

fn settings(text: &str) -> (Settings, Call) {
    let config = Config::parse(text.as_bytes().to_vec()).unwrap();
    let call = Call::new(config, Environment::default(), Registry::new(&[], InProcess::Never));
    config::read(&call).unwrap()
}

/// The plan for `config` when the IPAM plugin answers `lease`.
fn plan(config: &str, lease: &str) -> String {
    let (settings, _) = settings(config);
    let lease = Success::read(&serde_json::from_str(lease).unwrap(), Version::V1_0_0).unwrap();
    let attachment = Attachment::new("web".parse().unwrap(), "eth0".parse().unwrap());
    let plan = Plan::new(&settings, &lease, &attachment);
    let mut text = format!("bridge {} mac {}\n", settings.bridge, plan.mac);
    for address in &plan.bridge_addresses {
        writeln!(text, "bridge address {address}").unwrap();
    }
    for ip in &plan.ips {
        let gateway = ip.gateway.map_or_else(|| "none".to_owned(), |gateway| gateway.to_string());
        writeln!(text, "address {} gateway {gateway}", ip.address).unwrap();
    }
    for route in &plan.routes {
        let via = route.gw.map_or_else(|| "the gateway".to_owned(), |gateway| gateway.to_string());
        writeln!(text, "route {} via {via}", route.dst).unwrap();
    }
    if settings.masquerade != config::Masquerade::No {
        for network in &plan.masqueraded {
            writeln!(text, "masquerade {network}").unwrap();
        }
    }
    text
}

const DUAL: &str = r#"{"ips": [{"address": "10.22.0.5/16", "gateway": "10.22.0.1"}, {"address": "fd00::5/64"}],
                       "routes": [{"dst": "0.0.0.0/0"}]}"#;

#[test]
fn a_switch_has_no_addresses_and_leaves_routes_to_ipam() {
    let text = plan(r#"{"name": "n", "ipam": {"type": "host-local"}}"#, DUAL);
    assert_eq!(
        text,
        "bridge cni0 mac 0a:58:0a:16:00:05\n\
         address 10.22.0.5/16 gateway 10.22.0.1\n\
         address fd00::5/64 gateway none\n\
         route 0.0.0.0/0 via the gateway\n"
    );
}

#[test]
fn a_gateway_has_each_gateway_address_with_the_container_s_prefix() {
    let text =
        plan(r#"{"name": "n", "isGateway": true, "ipMasq": true, "ipam": {"type": "host-local"}}"#, DUAL);
    assert_eq!(
        text,
        "bridge cni0 mac 0a:58:0a:16:00:05\n\
         bridge address 10.22.0.1/16\n\
         bridge address fd00::1/64\n\
         address 10.22.0.5/16 gateway 10.22.0.1\n\
         address fd00::5/64 gateway fd00::1\n\
         route 0.0.0.0/0 via the gateway\n\
         masquerade 10.22.0.0/16\n\
         masquerade fd00::/64\n"
    );
}

#[test]
fn a_default_gateway_adds_one_default_route_a_family() {
    let text = plan(r#"{"name": "n", "isDefaultGateway": true, "ipam": {"type": "host-local"}}"#, DUAL);
    assert_eq!(
        text,
        "bridge cni0 mac 0a:58:0a:16:00:05\n\
         bridge address 10.22.0.1/16\n\
         bridge address fd00::1/64\n\
         address 10.22.0.5/16 gateway 10.22.0.1\n\
         address fd00::5/64 gateway fd00::1\n\
         route 0.0.0.0/0 via 10.22.0.1\n\
         route ::/0 via fd00::1\n"
    );
}

#[test]
fn docker_s_words_are_a_complete_configuration() {
    let lease = r#"{"ips": [{"address": "192.168.1.1/24", "gateway": "192.168.1.5"}],
                    "routes": [{"dst": "0.0.0.0/0"}]}"#;
    let text =
        plan(r#"{"cniVersion": "1.1.0", "name": "mybr0", "type": "bridge", "bip": "192.168.1.5/24"}"#, lease);
    assert_eq!(
        text,
        "bridge mybr0 mac 0a:58:c0:a8:01:01\n\
         bridge address 192.168.1.5/24\n\
         address 192.168.1.1/24 gateway 192.168.1.5\n\
         route 0.0.0.0/0 via the gateway\n\
         masquerade 192.168.1.0/24\n"
    );
}

#[test]
fn bip6_is_the_bridge_s_ipv6_address() {
    let lease = r#"{"ips": [{"address": "2001:db8::1/64", "gateway": "2001:db8::1111"}],
                    "routes": [{"dst": "::/0"}]}"#;
    let text =
        plan(r#"{"name": "mybr0", "bip6": "2001:db8::1111/64", "fixed-cidr-v6": "2001:db8::/112"}"#, lease);
    assert!(text.contains("bridge address 2001:db8::1111/64\n"), "{text}");
    assert!(text.contains("address 2001:db8::1/64 gateway 2001:db8::1111\n"), "{text}");
}

#[test]
fn a_delegate_is_given_the_ipam_that_docker_s_words_stand_for() {
    let (_, call) = settings(r#"{"name": "mybr0", "bip": "192.168.1.5/24", "ipMasq": false}"#);
    assert_eq!(call.config.ipam_type().unwrap().as_deref(), Some("host-local"));
    let bytes = String::from_utf8(call.config.bytes().to_vec()).unwrap();
    assert!(bytes.contains(r#""rangeStart":"192.168.1.1""#), "{bytes}");
}

#[test]
fn a_network_without_addresses_has_a_mac_of_its_own() {
    let text = plan(r#"{"name": "n"}"#, "{}");
    let attachment = Attachment::new("web".parse().unwrap(), "eth0".parse().unwrap());
    assert_eq!(text, format!("bridge cni0 mac {}\n", attachment.container_mac()));
}

#[test]
fn the_mac_that_is_asked_for_latest_wins() {
    let text = |wishes: &str| plan(&format!(r#"{{"name": "n"{wishes}}}"#), "{}");
    let args = r#", "args": {"cni": {"mac": "02:00:00:00:00:02"}}"#;
    let runtime = r#", "runtimeConfig": {"MAC": "02:00:00:00:00:03"}"#;
    assert!(text(args).contains("mac 02:00:00:00:00:02"));
    assert!(text(&format!("{args}{runtime}")).contains("mac 02:00:00:00:00:03"));
}

#[test]
fn each_bad_field_is_named() {
    let cases = [
        (r#""hairpinMode": true, "promiscMode": true"#, "hairpinMode and promiscMode"),
        (r#""bridge": "a-name-that-is-too-long""#, "bridge: a-name-that-is-too-long"),
        (r#""mtu": 67"#, "mtu: 67: expected 68 to 65535"),
        (r#""mtu": "1500""#, "mtu: invalid type: string \"1500\", expected i64"),
        (r#""vlan": 4095"#, "vlan: 4095"),
        (r#""vlanTrunk": [{"id": 0}]"#, "vlanTrunk[0].id: 0"),
        (r#""vlanTrunk": [{"id": 5}, {"minID": 9, "maxID": 3}]"#, "vlanTrunk[1].minID: 9"),
        (r#""vlanTrunk": [{"minID": 9}]"#, "vlanTrunk[0].minID"),
        (r#""ipMasq": true, "ipMasqBackend": "pf""#, "ipMasqBackend: pf"),
        (
            r#""disableContainerInterface": true, "ipam": {"type": "static"}"#,
            "disableContainerInterface and ipam",
        ),
        (r#""mac": "01:00:5e:00:00:01""#, "mac: 01:00:5e:00:00:01: expected a unicast address"),
        (r#""runtimeConfig": {"mac": "x"}"#, "runtimeConfig.mac: x"),
        (r#""bip": "10.0.0.1/24", "ipam": {"type": "static"}"#, "ipam and Docker's keys"),
        (r#""default-gateway": "10.0.0.300""#, "default-gateway: invalid IP address"),
        (r#""dns": "1.1.1.1""#, "dns"),
    ];
    for (keys, expected) in cases {
        let text = format!(r#"{{"name": "n", {keys}}}"#);
        let config = Config::parse(text.into_bytes()).unwrap();
        let call = Call::new(config, Environment::default(), Registry::new(&[], InProcess::Never));
        let failure = config::read(&call).err().map(|error| cni::Failure::from(error).to_string()).unwrap();
        assert!(failure.contains(expected), "{failure} should say {expected}");
    }
}

#[test]
fn forwarding_is_left_alone_where_that_is_asked_for() {
    for (keys, expected) in [
        ("", true),
        (r#""ipForward": true,"#, true),
        (r#""IPFORWARD": false,"#, false),
        (r#""ipForward": null,"#, true),
    ] {
        let (settings, _) = settings(&format!(r#"{{{keys} "name": "n", "isGateway": true}}"#));
        assert_eq!(settings.forwarding, expected, "{keys}");
    }
}
