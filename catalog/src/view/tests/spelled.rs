//! The spellings of podman, nerdctl, Kubernetes and Docker, and ours.

use super::*;

#[test]
fn podman_s_network_is_told_with_its_labels_and_options() {
    let list = json!({
        "args": {"podman_labels": {"tier": "web"}, "podman_options": {"isolate": "true"}},
        "cniVersion": "0.4.0",
        "name": "podnet",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni-podman1",
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "mtu": 1400,
                "ipam": {
                    "type": "host-local",
                    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                    "ranges": [
                        [{"subnet": "10.89.0.0/24", "rangeStart": "10.89.0.129", "rangeEnd": "10.89.0.255",
                          "gateway": "10.89.0.1"}],
                        [{"subnet": "fd89::/64", "gateway": "fd89::1"}],
                    ],
                },
                "capabilities": {"ips": true},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall", "backend": "", "ingressPolicy": "same-bridge"},
            {"type": "tuning"},
        ],
    });
    let expected = View {
        driver: "bridge".to_owned(),
        ipam: Some("host-local".to_owned()),
        subnets: vec![
            subnet("10.89.0.0/24", Some("10.89.0.1"), Some(("10.89.0.129", "10.89.0.255"))),
            subnet("fd89::/64", Some("fd89::1"), None),
        ],
        link: link("cni-podman1"),
        mtu: Some(1400),
        is_isolated: true,
        labels: words([("tier", "web")]),
        options: words([("isolate", "true")]),
        ..View::default()
    };
    assert_eq!(view(&list), expected);
}

#[test]
fn podman_s_internal_network_has_no_gateway_and_no_routes() {
    let internal = |plugin: Value| view(&alone(plugin)).is_internal;
    let ipam = json!({"type": "host-local", "ranges": [[{"subnet": "10.89.1.0/24"}]]});
    assert!(internal(json!({"type": "bridge", "bridge": "cni-podman2", "ipam": ipam})));
    assert!(!internal(json!({"type": "bridge", "isGateway": true, "ipam": ipam})));
    assert!(!internal(json!({"type": "bridge", "isDefaultGateway": true, "ipam": ipam})));
    let routed = json!({"type": "host-local", "ranges": [[{"subnet": "10.89.1.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]});
    assert!(!internal(json!({"type": "bridge", "ipam": routed})));
    let gateway =
        json!({"type": "host-local", "ranges": [[{"subnet": "10.89.1.0/24", "gateway": "10.89.1.9"}]]});
    assert!(!internal(json!({"type": "bridge", "ipam": gateway})));
    // A switch whose addresses somebody else leases may lead anywhere.
    assert!(!internal(json!({"type": "bridge", "bridge": "br0", "ipam": {"type": "dhcp"}})));
    assert!(!internal(json!({"type": "bridge", "bridge": "br0"})));
}

#[test]
fn nerdctl_s_labels_stand_at_the_head() {
    let list = json!({
        "cniVersion": "1.0.0",
        "name": "web",
        "nerdctlID": "0f00a5",
        "nerdctlLabels": {"nerdctl/default-network": "true"},
        "plugins": [
            {
                "type": "bridge",
                "bridge": "br-0f00a5",
                "isGateway": true,
                "ipMasq": true,
                "hairpinMode": true,
                "ipam": {
                    "ranges": [[{"gateway": "10.4.1.1", "subnet": "10.4.1.0/24"}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "type": "host-local",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
            {"type": "firewall", "ingressPolicy": "same-bridge"},
            {"type": "tuning"},
        ],
    });
    let expected = View {
        driver: "bridge".to_owned(),
        ipam: Some("host-local".to_owned()),
        subnets: vec![subnet("10.4.1.0/24", Some("10.4.1.1"), None)],
        link: link("br-0f00a5"),
        is_isolated: true,
        labels: words([("nerdctl/default-network", "true")]),
        ..View::default()
    };
    assert_eq!(view(&list), expected);
}

#[test]
fn kubernetes_names_a_subnet_in_ipam_itself() {
    let list = json!({
        "cniVersion": "0.3.1",
        "name": "cbr0",
        "plugins": [
            {
                "type": "bridge",
                "isGateway": true,
                "ipMasq": true,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/leases",
                    "subnet": "10.244.3.7/24",
                    "rangeStart": "10.244.3.10",
                    "gateway": "10.244.3.1",
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
                "dns": {"nameservers": ["10.96.0.10"], "search": ["cluster.local"]},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    });
    let expected = View {
        driver: "bridge".to_owned(),
        ipam: Some("host-local".to_owned()),
        data_dir: Some("/run/leases".into()),
        subnets: vec![subnet("10.244.3.0/24", Some("10.244.3.1"), Some(("10.244.3.10", "10.244.3.255")))],
        // Where a bridge is not named, the plugin has one of this name.
        link: link("cni0"),
        dns: cni::Dns {
            nameservers: vec!["10.96.0.10".to_owned()],
            search: vec!["cluster.local".to_owned()],
            ..cni::Dns::default()
        },
        ..View::default()
    };
    assert_eq!(view(&list), expected);
}

#[test]
fn docker_s_keys_stand_for_subnets_and_a_bridge_of_the_network_s_name() {
    let docker = |keys: Value| {
        let mut plugin = json!({"type": "bridge"});
        plugin.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        view(&alone(plugin))
    };
    let short = docker(json!({"bip": "10.9.0.1/24"}));
    assert_eq!(short.subnets, [subnet("10.9.0.0/24", Some("10.9.0.1"), None)]);
    assert_eq!(
        (short.ipam.as_deref(), short.link, short.is_internal),
        (Some("host-local"), link("web"), false)
    );
    let long = docker(json!({
        "bridge": "br7", "bip": "10.9.0.1/24", "fixed-cidr": "10.9.0.128/25", "default-gateway": "10.9.0.254",
        "fixed-cidr-v6": "fd09::/64",
    }));
    let expected = [
        subnet("10.9.0.0/24", Some("10.9.0.254"), Some(("10.9.0.128", "10.9.0.254"))),
        subnet("fd09::/64", Some("fd09::1"), None),
    ];
    assert_eq!((long.subnets, long.link), (expected.into(), link("br7")));
    // Keys are found in any case, as the plugin finds them.
    assert_eq!(docker(json!({"Bip": "10.9.0.1/24", "Bridge": "br7"})).link, link("br7"));
    let wrong = docker(json!({"bip": "10.9.0.1"}));
    assert_eq!((wrong.subnets, wrong.link, wrong.ipam), (vec![], link("web"), None));
}

#[test]
fn macvlan_and_ipvlan_are_on_their_master() {
    for kind in ["macvlan", "ipvlan"] {
        let ipam = json!({"type": "dhcp"});
        let told = view(&alone(json!({"type": kind, "master": "eth0", "bridge": "br0", "ipam": ipam})));
        let expected = View {
            driver: kind.to_owned(),
            ipam: Some("dhcp".to_owned()),
            link: link("eth0"),
            ..View::default()
        };
        assert_eq!(told, expected);
    }
    assert_eq!(
        view(&alone(json!({"type": "macvlan"}))).link,
        None,
        "the plugin takes that of the default route"
    );
}

#[test]
fn the_networks_that_every_host_has_are_called_as_docker_calls_them() {
    let driver = |list: Result<List, network::ListError>| View::of(&list.unwrap()).driver;
    assert_eq!(driver(crate::builtin::host()), "host");
    assert_eq!(driver(crate::builtin::none()), "null");
}

#[test]
fn notes_of_ours_are_read_and_win_over_podman_s() {
    let mut list = alone(json!({"type": "bridge", "bridge": "web", "gatewayMode": "internal"}));
    list["netctl"] = json!({
        "created": "2026-01-31T12:00:00Z",
        "options": {"mtu": "1400"},
        "hostBinding": "127.0.0.1",
        "interfacePrefix": "net",
    });
    list["args"] = json!({"podman_options": {"mtu": "9000", "isolate": "true"}});
    let expected = View {
        driver: "bridge".to_owned(),
        link: link("web"),
        is_internal: true,
        options: words([("isolate", "true"), ("mtu", "1400")]),
        created: Some("2026-01-31T12:00:00Z".to_owned()),
        is_ours: true,
        host_binding: Some("127.0.0.1".parse().unwrap()),
        interface_prefix: Some("net".to_owned()),
        ..View::default()
    };
    assert_eq!(view(&list), expected);
}

#[test]
fn a_network_is_closed_by_its_bridge_or_by_the_plugin_firewall() {
    let closed = |bridge: Value, further: Value| {
        view(&json!({"cniVersion": "1.0.0", "name": "web", "plugins": [bridge, further]})).is_isolated
    };
    let plain = json!({"type": "bridge"});
    assert!(closed(json!({"type": "bridge", "isolate": true}), json!({"type": "portmap"})));
    assert!(closed(plain.clone(), json!({"type": "firewall", "ingressPolicy": "isolated"})));
    assert!(!closed(plain.clone(), json!({"type": "firewall", "ingressPolicy": "open"})));
    assert!(!closed(plain.clone(), json!({"type": "firewall"})));
    assert!(!closed(plain, json!({"type": "other", "ingressPolicy": "same-bridge"})));
}

#[test]
fn several_ranges_of_a_subnet_are_shown_as_one() {
    let ranges = json!([[
        {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.19"},
        {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.30", "rangeEnd": "10.1.0.39", "gateway": "10.1.0.9"},
    ], [{"subnet": "10.2.0.0/24"}, {"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.1", "rangeEnd": "10.1.0.2"}]]);
    let expected = [
        subnet("10.1.0.0/24", Some("10.1.0.9"), Some(("10.1.0.1", "10.1.0.39"))),
        subnet("10.2.0.0/24", None, None),
    ];
    assert_eq!(view(&leasing(json!({"type": "host-local", "ranges": ranges}))).subnets, expected);
}

#[test]
fn a_range_has_docker_s_form_where_it_has_one() {
    let text = |subnet_text: &str, range| subnet(subnet_text, None, range).range_text();
    let of = |first, last| text("10.1.0.0/24", Some((first, last)));
    assert_eq!(text("10.1.0.0/24", None), None);
    assert_eq!(of("10.1.0.128", "10.1.0.255").unwrap(), "10.1.0.128/25");
    assert_eq!(
        of("10.1.0.129", "10.1.0.255").unwrap(),
        "10.1.0.128/25",
        "podman leaves the first address out"
    );
    assert_eq!(of("10.1.0.128", "10.1.0.254").unwrap(), "10.1.0.128/25");
    assert_eq!(of("10.1.0.1", "10.1.0.127").unwrap(), "10.1.0.0/25");
    assert_eq!(of("10.1.0.7", "10.1.0.7").unwrap(), "10.1.0.7/32");
    assert_eq!(of("10.1.0.10", "10.1.0.19").unwrap(), "10.1.0.10-10.1.0.19");
    assert_eq!(text("fd00::/64", Some(("fd00::8000", "fd00::ffff"))).unwrap(), "fd00::8000/113");
    assert_eq!(text("fd00::/64", Some(("fd00::5", "fd00::99"))).unwrap(), "fd00::5-fd00::99");
}

#[test]
fn there_is_room_for_as_many_as_host_local_leases() {
    let room = |text: &str, gateway, range| subnet(text, gateway, range).room();
    // The subnet's own address, its broadcast address, and the gateway.
    assert_eq!(room("10.1.0.0/24", Some("10.1.0.1"), None), 253);
    assert_eq!(room("10.1.0.0/24", None, None), 253);
    assert_eq!(room("10.1.0.0/30", None, None), 1);
    let half = Some(("10.1.0.128", "10.1.0.255"));
    assert_eq!(room("10.1.0.0/24", Some("10.1.0.1"), half), 127, "the gateway is not in it");
    assert_eq!(room("10.1.0.0/24", None, half), 127);
    assert_eq!(room("10.1.0.0/24", Some("10.1.0.200"), half), 126);
    assert_eq!(room("10.1.0.0/24", Some("10.1.0.255"), half), 127, "nobody has it twice");
    assert_eq!(room("10.1.0.0/24", Some("10.1.0.7"), Some(("10.1.0.7", "10.1.0.7"))), 0);
    assert_eq!(room("fd00::/64", None, None), (1 << 64) - 2);
    assert_eq!(room("fd00::/64", None, Some(("fd00::8000", "fd00::ffff"))), 0x8000);
    for (text, left) in [("10.1.0.0/31", 0), ("10.1.0.0/32", 0), ("fd00::/128", 0), ("fd00::/127", 0)] {
        assert_eq!(room(text, None, None), left, "{text}");
    }
    assert_eq!(room("::/0", None, None), u128::MAX - 2);
}

#[test]
fn a_network_has_the_families_of_its_subnets() {
    let told = view(&leasing(json!({"type": "host-local", "ranges": [[{"subnet": "fd00::/64"}]]})));
    assert!(told.has_family(Family::V6) && !told.has_family(Family::V4));
}
