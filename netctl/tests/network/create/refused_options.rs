//! Options of drivers that cannot be used.

use crate::{Machine, Test};

const BRIDGE_OPTIONS: &str = "its options are bridge.name, bridge.enable_ip_masquerade, bridge.enable_icc, \
    bridge.host_binding_ipv4, driver.mtu, bridge.gateway_mode_ipv4, bridge.gateway_mode_ipv6, container_iface_prefix, \
    isolate, no_default_route";

#[test]
fn unknown_options_are_refused_with_the_one_that_was_meant() -> Test {
    let machine = Machine::new("unknown")?;
    let before = machine.snapshot()?;
    for (words, error, hint) in [
        (
            "-o com.docker.network.bridge.nmae=x",
            "unknown option \"com.docker.network.bridge.nmae\" of driver bridge",
            "did you mean bridge.name?",
        ),
        ("-o isolat=1", "unknown option \"isolat\" of driver bridge", "did you mean isolate?"),
        ("-o zzz=1", "unknown option \"zzz\" of driver bridge", BRIDGE_OPTIONS),
        ("-o zzz", "unknown option \"zzz\" of driver bridge", BRIDGE_OPTIONS),
        ("-o =1", "unknown option \"\" of driver bridge", BRIDGE_OPTIONS),
        (
            "-d macvlan -o zzz=1",
            "unknown option \"zzz\" of driver macvlan",
            "its options are driver.mtu, container_iface_prefix, parent, macvlan_mode, no_default_route",
        ),
        (
            "-d ipvlan -o zzz=1",
            "unknown option \"zzz\" of driver ipvlan",
            "its options are driver.mtu, container_iface_prefix, parent, ipvlan_mode, no_default_route",
        ),
    ] {
        machine.refuses(&format!("create web {words}"), &format!("error: {error}\nhint: {hint}\n"));
    }
    machine.is_as_it_was(&before)
}

#[test]
fn values_that_are_none_are_refused_with_what_would_be_one() -> Test {
    let machine = Machine::new("values")?;
    let before = machine.snapshot()?;
    let truth = "expected true or false";
    let modes = "expected nat, nat-unprotected, routed or isolated";
    let prefix = "expected the beginning of an interface's name, at most 13 bytes";
    for (words, key, value, expected) in [
        ("mtu=", "com.docker.network.driver.mtu", "", "expected 68 to 65535 bytes"),
        ("mtu=20", "com.docker.network.driver.mtu", "20", "expected 68 to 65535 bytes"),
        ("mtu=1e3", "com.docker.network.driver.mtu", "1e3", "expected 68 to 65535 bytes"),
        (
            "mtu=99999999999999999999",
            "com.docker.network.driver.mtu",
            "99999999999999999999",
            "expected 68 to 65535 bytes",
        ),
        ("bridge.enable_icc=maybe", "com.docker.network.bridge.enable_icc", "maybe", truth),
        ("bridge.enable_ip_masquerade=2", "com.docker.network.bridge.enable_ip_masquerade", "2", truth),
        ("isolate=yes", "isolate", "yes", truth),
        ("no_default_route=", "no_default_route", "", truth),
        ("bridge.gateway_mode_ipv4=routes", "com.docker.network.bridge.gateway_mode_ipv4", "routes", modes),
        ("bridge.gateway_mode_ipv6=", "com.docker.network.bridge.gateway_mode_ipv6", "", modes),
        (
            "bridge.host_binding_ipv4=localhost",
            "com.docker.network.bridge.host_binding_ipv4",
            "localhost",
            "expected an address of the host",
        ),
        (
            "bridge.name=a-name-too-long-for-a-link",
            "com.docker.network.bridge.name",
            "a-name-too-long-for-a-link",
            "expected the name of an interface (expected at most 15 bytes)",
        ),
        (
            "bridge.name=a/b",
            "com.docker.network.bridge.name",
            "a/b",
            "expected the name of an interface (expected no slash, colon, white space or control character)",
        ),
        (
            "bridge.name=..",
            "com.docker.network.bridge.name",
            "..",
            "expected the name of an interface ('.' and '..' are no names)",
        ),
        ("container_iface_prefix=", "com.docker.network.container_iface_prefix", "", prefix),
        (
            "container_iface_prefix=fourteen-bytes",
            "com.docker.network.container_iface_prefix",
            "fourteen-bytes",
            prefix,
        ),
    ] {
        let said = format!("error: option {key}: {value:?}: {expected}\n");
        machine.refuses(&format!("create web -o {words}"), &said);
    }
    machine.is_as_it_was(&before)
}

#[test]
fn options_of_another_driver_and_two_that_contradict_each_other_are_refused() -> Test {
    let machine = Machine::new("others")?;
    let before = machine.snapshot()?;
    for (words, error) in [
        ("-o parent=eth0", "option parent is none of driver bridge"),
        ("-o macvlan_mode=vepa", "option macvlan_mode is none of driver bridge"),
        ("-d macvlan -o bridge.name=br0", "option com.docker.network.bridge.name is none of driver macvlan"),
        ("-d macvlan -o ipvlan_mode=l2", "option ipvlan_mode is none of driver macvlan"),
        (
            "-d macvlan -o mode=l2",
            "option macvlan_mode: \"l2\": expected one of bridge, vepa, private, passthru",
        ),
        ("-d ipvlan -o mode=vepa", "option ipvlan_mode: \"vepa\": expected one of l2, l3, l3s"),
        ("-d ipvlan -o parent=", "option parent: \"\": expected the name of an interface (it is empty)"),
        (
            "-o bridge.gateway_mode_ipv4=nat -o bridge.gateway_mode_ipv6=routed",
            "option com.docker.network.bridge.gateway_mode_ipv6 says \"routed\" and \"nat\": a network has one \
             gateway mode for both families",
        ),
    ] {
        machine.refuses(&format!("create web {words}"), &format!("error: {error}\n"));
    }
    machine.is_as_it_was(&before)
}
