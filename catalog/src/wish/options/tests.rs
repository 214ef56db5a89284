//! Options in Docker's words and podman's, and what is said of those that are none.

use super::*;

fn read(driver: Driver, pairs: &[(&str, &str)]) -> Result<Options, OptionError> {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Options::read(driver, &pairs)
}

#[test]
fn an_option_has_its_full_name_a_short_one_or_podman_s() {
    for key in ["com.docker.network.driver.mtu", "driver.mtu", "mtu"] {
        assert_eq!(read(Driver::Bridge, &[(key, "1450")]).unwrap().mtu, Mtu::new(1450).ok(), "{key}");
    }
    let macvlan = read(Driver::Macvlan, &[("parent", "eth0"), ("mode", "vepa")]).unwrap();
    assert_eq!(macvlan.mode.as_deref(), Some("vepa"));
    assert_eq!(read(Driver::Ipvlan, &[("mode", "l3")]).unwrap().mode.as_deref(), Some("l3"));
    assert_eq!(macvlan.written["parent"], "eth0");
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    type Case<'a> = (Driver, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 8] = [
        (
            Driver::Bridge,
            &[("mtu", "20")],
            "option com.docker.network.driver.mtu: \"20\": expected 68 to 65535 bytes",
        ),
        (Driver::Bridge, &[("bridge.enable_icc", "maybe")], "\"maybe\": expected true or false"),
        (Driver::Bridge, &[("parent", "eth0")], "option parent is none of driver bridge"),
        (Driver::Bridge, &[("bridge.nmae", "x")], "unknown option \"bridge.nmae\""),
        (
            Driver::Bridge,
            &[("bridge.name", "a-name-too-long-for-a-link")],
            "expected the name of an interface",
        ),
        (Driver::Macvlan, &[("mode", "l2")], "expected one of bridge, vepa, private, passthru"),
        (
            Driver::Bridge,
            &[("bridge.gateway_mode_ipv4", "routes")],
            "expected nat, nat-unprotected, routed or isolated",
        ),
        (
            Driver::Bridge,
            &[("bridge.gateway_mode_ipv4", "nat"), ("bridge.gateway_mode_ipv6", "routed")],
            "says \"routed\" and \"nat\"",
        ),
    ];
    for (driver, pairs, expected) in cases {
        let error = read(driver, pairs).unwrap_err();
        assert!(error.to_string().contains(expected), "{error} should say {expected}");
    }
    let hint = read(Driver::Bridge, &[("bridge.nmae", "x")]).unwrap_err().hint().unwrap();
    assert_eq!(hint, "did you mean bridge.name?");
}

#[test]
fn every_option_says_what_it_is_about() {
    let all = read(
        Driver::Bridge,
        &[
            ("com.docker.network.bridge.name", "br7"),
            ("com.docker.network.bridge.enable_ip_masquerade", "false"),
            ("com.docker.network.bridge.enable_icc", "0"),
            ("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"),
            ("com.docker.network.driver.mtu", "1400"),
            ("com.docker.network.bridge.gateway_mode_ipv4", "routed"),
            ("com.docker.network.bridge.gateway_mode_ipv6", "routed"),
            ("com.docker.network.container_iface_prefix", "net"),
            ("isolate", "true"),
            ("no_default_route", "T"),
        ],
    )
    .unwrap();
    let expected = Options {
        bridge: Some(InterfaceName::new("br7").unwrap()),
        masquerade: Some(false),
        icc: Some(false),
        host_binding: Some("127.0.0.1".parse().unwrap()),
        mtu: Mtu::new(1400).ok(),
        gateway_mode: Some(GatewayMode::Routed),
        interface_prefix: Some("net".to_owned()),
        isolate: Some(true),
        no_default_route: Some(true),
        written: all.written.clone(),
        ..Options::default()
    };
    assert_eq!(all, expected);
    assert_eq!(all.written.len(), 10);
    let macvlan = read(Driver::Macvlan, &[("parent", "eth0.7"), ("macvlan_mode", "passthru")]).unwrap();
    assert_eq!(macvlan.parent, Some(InterfaceName::new("eth0.7").unwrap()));
    assert_eq!(read(Driver::Bridge, &[]).unwrap(), Options::default());
}

#[test]
fn of_an_option_that_is_given_twice_the_last_counts() {
    let twice =
        read(Driver::Bridge, &[("mtu", "1400"), ("mtu", "1300"), ("isolate", "true"), ("isolate", "false")]);
    let twice = twice.unwrap();
    assert_eq!((twice.mtu, twice.isolate), (Mtu::new(1300).ok(), Some(false)));
    // They are shown as they were written, in each spelling.
    let spelled = read(Driver::Bridge, &[("mtu", "1400"), ("driver.mtu", "1300")]).unwrap();
    assert_eq!((spelled.mtu, spelled.written.len()), (Mtu::new(1300).ok(), 2));
}

#[test]
fn every_mode_of_the_gateway_has_docker_s_name() {
    let mode = |text| read(Driver::Bridge, &[("bridge.gateway_mode_ipv6", text)]).unwrap().gateway_mode;
    let modes = ["nat", "nat-unprotected", "routed", "isolated"].map(|text| mode(text).unwrap());
    let expected =
        [GatewayMode::Nat, GatewayMode::NatUnprotected, GatewayMode::Routed, GatewayMode::Isolated];
    assert_eq!(modes, expected);
}

#[test]
fn truth_is_spelled_as_go_spells_it() {
    let icc =
        |text| read(Driver::Bridge, &[("bridge.enable_icc", text)]).ok().and_then(|options| options.icc);
    for text in ["1", "t", "T", "true", "TRUE", "True"] {
        assert_eq!(icc(text), Some(true), "{text}");
    }
    for text in ["0", "f", "F", "false", "FALSE", "False"] {
        assert_eq!(icc(text), Some(false), "{text}");
    }
    for text in ["", "yes", "tRUE", "01"] {
        assert_eq!(icc(text), None, "{text}");
    }
}

#[test]
fn a_prefix_leaves_room_for_a_number() {
    let prefix = |text: &str| read(Driver::Bridge, &[("container_iface_prefix", text)]).is_ok();
    assert!(prefix("e") && prefix("a-prefix-of13"));
    assert!(!prefix("") && !prefix("a-prefix-of-14") && !prefix("a/b"));
}

#[test]
fn what_is_nothing_like_any_option_is_told_with_all_of_the_driver_s() {
    let hint = |driver, key| read(driver, &[(key, "x")]).unwrap_err().hint();
    assert_eq!(
        hint(Driver::Ipvlan, "zzz").unwrap(),
        "its options are driver.mtu, container_iface_prefix, parent, \
        ipvlan_mode, no_default_route"
    );
    assert_eq!(
        hint(Driver::Bridge, "com.docker.network.bridge.enable_ic").unwrap(),
        "did you mean bridge.enable_icc?"
    );
    // Of another driver's it is known whose it is.
    assert_eq!(hint(Driver::Ipvlan, "macvlan_mode"), None);
}
