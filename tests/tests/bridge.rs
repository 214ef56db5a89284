//! What the keys of a bridge network do.

use lab::Place;
use serde_json::{Value, json};
use tests::config::{BRIDGE, dual, layer2, v4, with};
use tests::facts::{addresses, link, links, plain, ports, routes};
use tests::{Stage, Test};

#[test]
fn a_container_gets_addresses_and_routes_and_the_result_tells_the_truth() -> Test {
    let stage = Stage::new("truth")?;
    let container = stage.container("web")?;
    let result = stage.call("bridge", &dual()).of(&container).add().result()?;
    assert_eq!(addresses(&container, "eth0")?, ["10.1.0.2/24", "fd00:1::2/64"]);
    let routes = routes(&container)?;
    assert!(routes.iter().any(|route| route == "default via 10.1.0.1 dev eth0"), "{routes:?}");
    assert!(routes.iter().any(|route| route.starts_with("default via fd00:1::1 dev eth0")), "{routes:?}");
    assert_eq!(addresses(stage.host(), BRIDGE)?, ["10.1.0.1/24", "fd00:1::1/64"]);
    let port = plain(&result["interfaces"][1]["name"]);
    assert_eq!(ports(stage.host(), BRIDGE)?, [port.as_str()]);
    let (bridge, outer, inner) =
        (link(stage.host(), BRIDGE)?, link(stage.host(), &port)?, link(&container, "eth0")?);
    let expected = json!({
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": BRIDGE, "mac": bridge["address"]},
            {"name": port, "mac": outer["address"]},
            {"name": "eth0", "mac": inner["address"], "sandbox": container.path()},
        ],
        "ips": [
            {"address": "10.1.0.2/24", "gateway": "10.1.0.1", "interface": 2},
            {"address": "fd00:1::2/64", "gateway": "fd00:1::1", "interface": 2},
        ],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
    });
    assert_eq!(result, expected);
    Ok(())
}

#[test]
fn everything_is_up_when_add_returns() -> Test {
    let stage = Stage::new("up")?;
    let container = stage.container("web")?;
    let result = stage.call("bridge", &dual()).of(&container).add().result()?;
    let port = plain(&result["interfaces"][1]["name"]);
    for (state, name) in [
        (link(stage.host(), BRIDGE)?, BRIDGE),
        (link(stage.host(), &port)?, "port"),
        (link(&container, "eth0")?, "eth0"),
    ] {
        assert_eq!(state["operstate"], "UP", "{name}: {state}");
    }
    assert_eq!(link(stage.host(), &port)?["linkinfo"]["info_slave_data"]["state"], "forwarding");
    assert_eq!(addresses(&container, "lo")?, ["127.0.0.1/8", "::1/128"]);
    let tentative = container.run(["ip", "addr", "show", "tentative"]).ok()?;
    assert!(!tentative.contains("fd00:1::2"), "{tentative}");
    Ok(())
}

#[test]
fn containers_get_different_addresses_and_names() -> Test {
    let stage = Stage::new("several")?;
    let mut seen = Vec::new();
    for container in stage.containers("c", 3)? {
        let result = stage.call("bridge", &v4()).of(&container).add().result()?;
        seen.push((plain(&result["ips"][0]["address"]), plain(&result["interfaces"][1]["name"])));
    }
    let addresses: Vec<_> = seen.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(addresses, ["10.1.0.2/24", "10.1.0.3/24", "10.1.0.4/24"]);
    let mut names = ports(stage.host(), BRIDGE)?;
    names.sort();
    let mut told: Vec<_> = seen.into_iter().map(|(_, name)| name).collect();
    told.sort();
    assert_eq!(names, told);
    Ok(())
}

#[test]
fn a_container_may_be_on_two_networks() -> Test {
    let stage = Stage::new("two")?;
    let container = stage.container("web")?;
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.2.0.0/24"}]]});
    let second = with(v4(), json!({"name": "second", "bridge": "br1", "ipam": ipam}));
    let first = stage.call("bridge", &v4()).of(&container);
    let second = stage.call("bridge", &second).of(&container).interface("eth1");
    first.add().result()?;
    second.add().result()?;
    assert_eq!(addresses(&container, "eth1")?, ["10.2.0.2/24"]);
    first.del().done()?;
    assert_eq!(addresses(&container, "eth1")?, ["10.2.0.2/24"]);
    assert_eq!(links(&container)?, ["lo", "eth1"]);
    second.del().done()?;
    assert_eq!(links(&container)?, ["lo"]);
    Ok(())
}

#[test]
fn a_second_add_is_refused_and_leaves_the_first_alone() -> Test {
    let stage = Stage::new("again")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &dual()).of(&container);
    let result = call.add().result()?;
    let text = call.add().any_error()?;
    assert!(text.contains("eth0") || text.contains("web"), "{text}");
    call.clone().after(&result).check().done()?;
    assert!(tests::facts::pings(&container, "10.1.0.1"));
    // A stranger's interface of that name is in the way just as well.
    let other = stage.container("other")?;
    other.sh("ip link add eth0 type bridge").ok()?;
    let text = stage.call("bridge", &dual()).of(&other).add().any_error()?;
    assert!(text.contains("eth0"), "{text}");
    assert_eq!(links(&other)?, ["lo", "eth0"]);
    let leases = stage.host().sh("ls /var/lib/cni/networks/net").ok()?;
    assert!(!leases.contains("10.1.0.3"), "{leases}");
    Ok(())
}

#[test]
fn a_bridge_without_a_name_is_cni0() -> Test {
    let stage = Stage::new("unnamed")?;
    for name in [Value::Null, "".into()] {
        let container = stage.container(if name.is_null() { "c1" } else { "c2" })?;
        let mut config = with(v4(), json!({"bridge": null}));
        if !name.is_null() {
            config["bridge"] = name;
        }
        let result = stage.call("bridge", &config).of(&container).add().result()?;
        assert_eq!(result["interfaces"][0]["name"], "cni0");
    }
    Ok(())
}

#[test]
fn without_is_gateway_the_bridge_is_a_switch_only() -> Test {
    let stage = Stage::new("switch")?;
    let containers = stage.containers("c", 2)?;
    let config = with(v4(), json!({"isGateway": false}));
    for container in &containers {
        let result = stage.call("bridge", &config).of(container).add().result()?;
        assert_eq!(result["ips"][0]["gateway"], "10.1.0.1", "the lease's own gateway is handed on");
    }
    assert_eq!(addresses(stage.host(), BRIDGE)?, Vec::<String>::new());
    assert_eq!(stage.host().read_file("/proc/sys/net/ipv4/ip_forward")?, "0\n");
    assert!(tests::facts::pings(&containers[0], "10.1.0.3"));
    Ok(())
}

#[test]
fn is_gateway_switches_forwarding_on_for_the_families_that_are_there() -> Test {
    let forwarding = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];
    for (config, expected) in [(v4(), "1\n0\n"), (dual(), "1\n1\n")] {
        let stage = Stage::new("forwarding")?;
        let container = stage.container("web")?;
        stage.call("bridge", &config).of(&container).add().result()?;
        assert_eq!(stage.host().run([&["cat"][..], &forwarding].concat()).ok()?, expected);
    }
    Ok(())
}

#[test]
fn is_default_gateway_adds_a_default_route_a_family() -> Test {
    let stage = Stage::new("default")?;
    let container = stage.container("web")?;
    let mut config = with(dual(), json!({"isGateway": false, "isDefaultGateway": true}));
    config["ipam"]["routes"] = json!([{"dst": "10.9.0.0/16"}]);
    let result = stage.call("bridge", &config).of(&container).add().result()?;
    let expected = json!([
        {"dst": "10.9.0.0/16"},
        {"dst": "0.0.0.0/0", "gw": "10.1.0.1"},
        {"dst": "::/0", "gw": "fd00:1::1"},
    ]);
    assert_eq!(result["routes"], expected);
    let routes = routes(&container)?;
    assert_eq!(routes.iter().filter(|route| route.starts_with("default")).count(), 2, "{routes:?}");
    assert_eq!(addresses(stage.host(), BRIDGE)?.len(), 2);
    Ok(())
}

#[test]
fn a_default_route_with_a_next_hop_of_its_own_is_not_doubled() -> Test {
    let stage = Stage::new("own-hop")?;
    let container = stage.container("web")?;
    let mut config = with(v4(), json!({"isDefaultGateway": true}));
    config["ipam"]["routes"] = json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.9"}]);
    stage.call("bridge", &config).of(&container).add().result()?;
    let routes = routes(&container)?;
    let defaults: Vec<_> = routes.iter().filter(|route| route.starts_with("default")).collect();
    assert_eq!(defaults, ["default via 10.1.0.9 dev eth0"]);
    Ok(())
}

#[test]
fn routes_are_made_with_everything_they_say() -> Test {
    let stage = Stage::new("routes")?;
    let container = stage.container("web")?;
    let mut config = dual();
    config["ipam"]["routes"] = json!([
        {"dst": "0.0.0.0/0"},
        {"dst": "10.20.0.0/16", "gw": "10.1.0.20", "priority": 77},
        {"dst": "10.21.0.0/16", "table": 200},
        {"dst": "10.22.0.0/16", "scope": 0, "gw": ""},
        {"dst": "fd00:20::/32", "gw": "fd00:1::20", "priority": 78},
    ]);
    let result = stage.call("bridge", &config).of(&container).add().result()?;
    let main = routes(&container)?;
    for expected in [
        "default via 10.1.0.1 dev eth0",
        "10.20.0.0/16 via 10.1.0.20 dev eth0 metric 77",
        "10.22.0.0/16 via 10.1.0.1 dev eth0",
        "fd00:20::/32 via fd00:1::20 dev eth0 metric 78",
    ] {
        assert!(main.iter().any(|route| route.starts_with(expected)), "{expected}: {main:?}");
    }
    let table = container.run(["ip", "route", "show", "table", "200"]).ok()?;
    assert!(table.starts_with("10.21.0.0/16 via 10.1.0.1 dev eth0"), "{table}");
    assert_eq!(result["routes"][1]["priority"], 77);
    assert_eq!(result["routes"][2]["table"], 200);
    stage.call("bridge", &config).of(&container).after(&result).check().done()?;
    Ok(())
}

#[test]
fn one_destination_by_two_gateways_is_one_route_with_two_hops() -> Test {
    let stage = Stage::new("multipath")?;
    let container = stage.container("web")?;
    let mut config = v4();
    config["ipam"]["routes"] =
        json!([{"dst": "10.20.0.0/16", "gw": "10.1.0.20"}, {"dst": "10.20.0.0/16", "gw": "10.1.0.21"}]);
    stage.call("bridge", &config).of(&container).add().result()?;
    let text = routes(&container)?.join("\n");
    assert!(text.contains("via 10.1.0.20") && text.contains("via 10.1.0.21"), "{text}");
    Ok(())
}

#[test]
fn an_mtu_is_that_of_the_bridge_and_of_both_ends() -> Test {
    let stage = Stage::new("mtu")?;
    let containers = stage.containers("c", 2)?;
    for (container, mtu) in containers.iter().zip([1400, 1300]) {
        let config = with(v4(), json!({"mtu": mtu}));
        let result = stage.call("bridge", &config).of(container).add().result()?;
        let port = plain(&result["interfaces"][1]["name"]);
        assert_eq!(link(container, "eth0")?["mtu"], mtu);
        assert_eq!(link(stage.host(), &port)?["mtu"], mtu);
    }
    // The first container's bridge had 1400; a bridge goes with the smallest of its ports unless it was told.
    let mtu = link(stage.host(), BRIDGE)?["mtu"].as_u64();
    assert!(mtu == Some(1400) || mtu == Some(1300), "{mtu:?}");
    Ok(())
}

#[test]
fn port_flags_are_set_where_they_are_asked_for() -> Test {
    let stage = Stage::new("flags")?;
    for (index, (keys, flag)) in [
        (json!({}), ""),
        (json!({"hairpinMode": true}), "hairpin"),
        (json!({"portIsolation": true}), "isolated"),
    ]
    .into_iter()
    .enumerate()
    {
        let container = stage.container(&format!("c{index}"))?;
        let config = with(v4(), keys);
        let call = stage.call("bridge", &config).of(&container);
        let result = call.add().result()?;
        let port = link(stage.host(), &plain(&result["interfaces"][1]["name"]))?;
        let flags = &port["linkinfo"]["info_slave_data"];
        for other in ["hairpin", "isolated"] {
            assert_eq!(flags[other], other == flag, "{other} with {flag:?}: {flags}");
        }
        call.after(&result).check().done()?;
    }
    Ok(())
}

#[test]
fn isolated_ports_do_not_see_each_other_but_the_gateway() -> Test {
    let stage = Stage::new("isolated")?;
    let containers = stage.containers("c", 3)?;
    for (index, container) in containers.iter().enumerate() {
        let config = with(v4(), json!({"portIsolation": index < 2}));
        stage.call("bridge", &config).of(container).add().result()?;
    }
    assert!(!tests::facts::pings(&containers[0], "10.1.0.3"), "isolated from isolated");
    assert!(tests::facts::pings(&containers[0], "10.1.0.4"), "a port that is not isolated");
    assert!(tests::facts::pings(&containers[0], "10.1.0.1"), "the gateway");
    Ok(())
}

#[test]
fn a_promiscuous_bridge_is_one_and_check_knows() -> Test {
    let stage = Stage::new("promiscuous")?;
    let container = stage.container("web")?;
    let call = stage.call("bridge", &with(v4(), json!({"promiscMode": true}))).of(&container);
    let result = call.add().result()?;
    let flags = plain(&link(stage.host(), BRIDGE)?["flags"]);
    assert!(flags.contains("PROMISC"), "{flags}");
    let check = call.after(&result);
    check.check().done()?;
    stage.host().run(["ip", "link", "set", BRIDGE, "promisc", "off"]).ok()?;
    let text = check.check().any_error()?;
    assert!(text.to_lowercase().contains("promisc"), "{text}");
    Ok(())
}

#[test]
fn duplicate_detection_is_waited_for_when_it_is_asked_for() -> Test {
    let stage = Stage::new("detection")?;
    let containers = stage.containers("c", 2)?;
    for (container, enabled) in containers.iter().zip([false, true]) {
        let config = with(dual(), json!({"enabledad": enabled}));
        stage.call("bridge", &config).of(container).add().result()?;
        let address = container.sh("ip -6 addr show dev eth0 scope global").ok()?;
        assert!(!address.contains("tentative"), "usable when ADD returns: {address}");
        assert_eq!(address.contains("nodad"), !enabled, "{address}");
    }
    Ok(())
}

#[test]
fn a_duplicate_address_is_an_error_when_detection_is_asked_for() -> Test {
    let stage = Stage::new("duplicate")?;
    let (first, second) = (stage.container("c1")?, stage.container("c2")?);
    let config = with(layer2(), json!({}));
    stage.call("bridge", &config).of(&first).add().result()?;
    first
        .sh("echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad; ip addr add fd00:1::2/64 dev eth0 nodad")
        .ok()?;
    let before = tests::Before::of(&stage)?;
    let config = with(dual(), json!({"enabledad": true}));
    let text = stage.call("bridge", &config).of(&second).add().any_error()?;
    assert!(text.contains("fd00:1::2"), "{text}");
    assert_eq!(links(&second)?, ["lo"]);
    assert_eq!(before.changes(tests::Allowed::Network(BRIDGE))?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_container_interface_that_is_to_stay_down_stays_down() -> Test {
    let stage = Stage::new("down")?;
    let container = stage.container("web")?;
    let config = with(layer2(), json!({"disableContainerInterface": true}));
    let call = stage.call("bridge", &config).of(&container);
    let result = call.add().result()?;
    let flags = plain(&link(&container, "eth0")?["flags"]);
    assert!(!flags.contains("UP"), "{flags}");
    call.after(&result).check().done()?;
    let config = with(v4(), json!({"disableContainerInterface": true}));
    let other = stage.container("other")?;
    stage.call("bridge", &config).of(&other).add().error(7, &["disableContainerInterface", "ipam"])?;
    Ok(())
}

#[test]
fn a_network_without_ipam_is_layer_2_only_and_can_be_checked() -> Test {
    let stage = Stage::new("layer2")?;
    let containers = stage.containers("c", 2)?;
    for (index, container) in containers.iter().enumerate() {
        let call = stage.call("bridge", &layer2()).of(container);
        let result = call.add().result()?;
        assert!(result.get("ips").is_none(), "{result}");
        assert_eq!(result["interfaces"].as_array().map(Vec::len), Some(3), "{result}");
        call.after(&result).check().done()?;
        container.sh(&format!("ip addr add 10.3.0.{index}/24 dev eth0")).ok()?;
    }
    assert!(tests::facts::pings(&containers[0], "10.3.0.1"));
    stage.call("bridge", &layer2()).status().done()?;
    Ok(())
}

#[test]
fn dns_of_the_network_replaces_that_of_the_lease_once_any_key_of_it_is_there() -> Test {
    let stage = Stage::new("dns")?;
    stage.host().write_file("/etc/own.conf", "nameserver 192.0.2.1\nsearch a.test\n")?;
    let cases = [
        (json!({}), json!({"nameservers": ["192.0.2.1"], "search": ["a.test"]})),
        (json!({"nameservers": ["192.0.2.9"]}), json!({"nameservers": ["192.0.2.9"]})),
        (json!({"search": []}), Value::Null),
        (json!({"domain": "d.test", "options": ["x"]}), json!({"domain": "d.test", "options": ["x"]})),
    ];
    for (index, (dns, expected)) in cases.into_iter().enumerate() {
        let container = stage.container(&format!("c{index}"))?;
        let mut config = with(v4(), json!({ "dns": dns }));
        config["ipam"]["resolvConf"] = "/etc/own.conf".into();
        let result = stage.call("bridge", &config).of(&container).add().result()?;
        assert_eq!(result["dns"], expected, "{dns}");
    }
    Ok(())
}

#[test]
fn a_link_layer_address_is_taken_from_where_it_is_said_most_directly() -> Test {
    let stage = Stage::new("mac")?;
    let mac = |number: u8| format!("02:00:00:00:00:0{number}");
    let cases = [
        (json!({}), "", ""),
        (json!({}), "MAC=02:00:00:00:00:01", "1"),
        (json!({"args": {"cni": {"mac": mac(2)}}}), "MAC=02:00:00:00:00:01;IgnoreUnknown=1", "2"),
        (
            json!({"args": {"cni": {"mac": mac(2)}}, "runtimeConfig": {"mac": mac(3)}}),
            "MAC=02:00:00:00:00:01",
            "3",
        ),
        (json!({"runtimeConfig": {"mac": "02-00-00-00-00-04"}}), "", "4"),
    ];
    for (index, (keys, args, expected)) in cases.into_iter().enumerate() {
        let container = stage.container(&format!("c{index}"))?;
        let call = stage.call("bridge", &with(v4(), keys)).of(&container).args(args);
        let result = call.add().result()?;
        let told = plain(&result["interfaces"][2]["mac"]);
        assert_eq!(link(&container, "eth0")?["address"], told.as_str());
        if !expected.is_empty() {
            assert_eq!(told, format!("02:00:00:00:00:0{expected}"));
        }
        call.after(&result).check().done()?;
    }
    Ok(())
}

#[test]
fn the_bridge_keeps_its_address_while_ports_come_and_go() -> Test {
    let stage = Stage::new("steady")?;
    let mut seen = Vec::new();
    for (index, container) in stage.containers("c", 3)?.iter().enumerate() {
        let mac = format!("02:00:00:00:00:0{}", 3 - index);
        let config = with(v4(), json!({"runtimeConfig": {"mac": mac}}));
        let result = stage.call("bridge", &config).of(container).add().result()?;
        assert_eq!(result["interfaces"][0]["mac"], link(stage.host(), BRIDGE)?["address"]);
        seen.push(plain(&result["interfaces"][0]["mac"]));
        if index == 0 {
            stage.call("bridge", &config).of(container).del().done()?;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    Ok(())
}
