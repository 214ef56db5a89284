//! Golden texts: a file in, what is said of it out.

use super::super::DaemonFile;

/// What is said of a file with these keys.
fn said(keys: &str) -> String {
    match DaemonFile::parse(format!("{{{keys}}}").as_bytes()) {
        Ok(file) => panic!("{keys}: accepted as {file:?}"),
        Err(fault) => fault.to_string(),
    }
}

fn golden(cases: &[(&str, &str)]) {
    for (keys, expected) in cases {
        assert_eq!(said(keys), *expected, "{keys}");
    }
}

#[test]
fn a_bridge_has_the_address_of_a_host_with_its_prefix() {
    golden(&[
        (
            r#""bip": "192.168.1.5""#,
            r#"bip: "192.168.1.5": expected the bridge's IPv4 address and prefix length such as 192.168.1.5/24"#,
        ),
        (
            r#""bip": 5"#,
            "bip: 5: expected the bridge's IPv4 address and prefix length such as 192.168.1.5/24",
        ),
        (
            r#""bip": "192.168.1.0/24""#,
            r#"bip: "192.168.1.0/24": expected the address of a host, not the network's own or its broadcast address"#,
        ),
        (
            r#""bip": "192.168.1.255/24""#,
            r#"bip: "192.168.1.255/24": expected the address of a host, not the network's own or its broadcast address"#,
        ),
        (
            r#""bip": "192.168.1.5/31""#,
            r#"bip: "192.168.1.5/31": expected a prefix of at most 30 bits, which leaves room for containers"#,
        ),
        (
            r#""bip": "fd00:5::1/64""#,
            r#"bip: "fd00:5::1/64": expected an IPv4 address; fixed-cidr-v6 makes the IPv6 network"#,
        ),
        (
            r#""bip6": "192.168.1.5/24""#,
            r#"bip6: "192.168.1.5/24": expected an IPv6 address; bip makes the IPv4 network"#,
        ),
        (
            r#""bip6": ["fd00:5::1/64"]"#,
            r#"bip6: ["fd00:5::1/64"]: expected the bridge's IPv6 address and prefix length such as fd00:1::1/64"#,
        ),
    ]);
}

#[test]
fn what_containers_get_is_a_part_of_the_network() {
    golden(&[
        (
            r#""bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16""#,
            r#"fixed-cidr: "10.20.0.0/16" beside bip "192.168.1.5/24": expected a part of bip's network 192.168.1.0/24"#,
        ),
        (
            r#""bip": "192.168.1.5/24", "fixed-cidr": "192.168.0.0/16""#,
            r#"fixed-cidr: "192.168.0.0/16" beside bip "192.168.1.5/24": expected a part of bip's network 192.168.1.0/24"#,
        ),
        (
            r#""bip6": "fd00:5::1/64", "fixed-cidr-v6": "fd00:6::/64""#,
            r#"fixed-cidr-v6: "fd00:6::/64" beside bip6 "fd00:5::1/64": expected a part of bip6's network fd00:5::/64"#,
        ),
        (
            r#""fixed-cidr": "172.30.0.0""#,
            r#"fixed-cidr: "172.30.0.0": expected a network such as 172.17.0.0/16"#,
        ),
        (
            r#""fixed-cidr": "172.30.0.4/31""#,
            r#"fixed-cidr: "172.30.0.4/31": expected a prefix of at most 30 bits, which leaves room for containers"#,
        ),
        (
            r#""fixed-cidr": "fd00:5::/64""#,
            r#"fixed-cidr: "fd00:5::/64": expected a network such as 172.17.0.0/16"#,
        ),
        (
            r#""fixed-cidr-v6": "172.30.0.0/16""#,
            r#"fixed-cidr-v6: "172.30.0.0/16": expected a network such as fd00:1::/64"#,
        ),
        (r#""fixed-cidr-v6": true"#, "fixed-cidr-v6: true: expected a network such as fd00:1::/64"),
        (
            r#""bridge": "br0", "fixed-cidr": "fd00:5::/64""#,
            r#"fixed-cidr: "fd00:5::/64": expected a network such as 172.17.0.0/16"#,
        ),
    ]);
}

#[test]
fn a_pool_without_an_address_for_a_container_is_refused() {
    golden(&[
        (
            r#""bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.5/32""#,
            r#"fixed-cidr: "192.168.1.5/32" beside bip "192.168.1.5/24": expected room for a container beside the bridge and its gateway"#,
        ),
        (
            r#""bip": "192.168.1.1/30", "default-gateway": "192.168.1.2""#,
            r#"bip: "192.168.1.1/30" beside default-gateway "192.168.1.2": expected room for a container beside the bridge and its gateway"#,
        ),
        (
            r#""fixed-cidr": "192.168.1.0/30", "default-gateway": "192.168.1.2""#,
            r#"fixed-cidr: "192.168.1.0/30" beside default-gateway "192.168.1.2": expected room for a container beside the bridge and its gateway"#,
        ),
        (
            r#""bip6": "fd00:5::1/64", "fixed-cidr-v6": "fd00:5::1/128""#,
            r#"fixed-cidr-v6: "fd00:5::1/128" beside bip6 "fd00:5::1/64": expected room for a container beside the bridge and its gateway"#,
        ),
    ]);
}

#[test]
fn a_gateway_is_a_host_of_the_network() {
    golden(&[
        (
            r#""bip": "192.168.1.5/24", "default-gateway": "10.20.1.1""#,
            r#"default-gateway: "10.20.1.1" beside bip "192.168.1.5/24": expected a host's address in 192.168.1.0/24"#,
        ),
        (
            r#""bip": "192.168.1.5/24", "default-gateway": "192.168.1.255""#,
            r#"default-gateway: "192.168.1.255" beside bip "192.168.1.5/24": expected a host's address in 192.168.1.0/24"#,
        ),
        (
            r#""fixed-cidr": "172.30.0.0/16", "default-gateway": "172.31.0.1""#,
            r#"default-gateway: "172.31.0.1" beside fixed-cidr "172.30.0.0/16": expected a host's address in 172.30.0.0/16"#,
        ),
        (
            r#""ipv6": true, "fixed-cidr-v6": "2001:db8::/64", "default-gateway-v6": "2001:db8:abcd::89""#,
            r#"default-gateway-v6: "2001:db8:abcd::89" beside fixed-cidr-v6 "2001:db8::/64": expected a host's address in 2001:db8::/64"#,
        ),
        (
            r#""bip6": "2001:db8::1/64", "default-gateway-v6": "2001:db8::""#,
            r#"default-gateway-v6: "2001:db8::" beside bip6 "2001:db8::1/64": expected a host's address in 2001:db8::/64"#,
        ),
        (
            r#""bip": "192.168.1.5/24", "default-gateway": "fd00:5::1""#,
            r#"default-gateway: "fd00:5::1": expected an IPv4 address; the one of IPv6 is default-gateway-v6"#,
        ),
        (
            r#""fixed-cidr-v6": "fd00:5::/64", "default-gateway-v6": "192.168.1.1""#,
            r#"default-gateway-v6: "192.168.1.1": expected an IPv6 address; the one of IPv4 is default-gateway"#,
        ),
        (
            r#""bridge": "br0", "default-gateway": "192.168.1.300""#,
            r#"default-gateway: "192.168.1.300": expected an IPv4 address; the one of IPv6 is default-gateway-v6"#,
        ),
        (
            r#""default-gateway": "10.20.1.1""#,
            r#"default-gateway: "10.20.1.1": expected bip or fixed-cidr beside it"#,
        ),
        (
            r#""ipv6": true, "default-gateway-v6": "fd00:5::1""#,
            r#"default-gateway-v6: "fd00:5::1": expected fixed-cidr-v6 beside it"#,
        ),
    ]);
}

/// The sample that Docker's documentation had for years.
#[test]
fn the_sample_of_dockers_old_documentation_is_refused() {
    golden(&[(
        r#""bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16", "fixed-cidr-v6": "2001:db8::/64", "mtu": 1500,
           "default-gateway": "10.20.1.1", "default-gateway-v6": "2001:db8:abcd::89", "dns": ["10.20.1.2","10.20.1.3"]"#,
        r#"fixed-cidr: "10.20.0.0/16" beside bip "192.168.1.5/24": expected a part of bip's network 192.168.1.0/24"#,
    )]);
}

#[test]
fn a_link_carries_what_ip_needs() {
    golden(&[
        (r#""mtu": 67"#, "mtu: 67: expected 68 to 65535 bytes, or 0 for the default"),
        (r#""mtu": 65536"#, "mtu: 65536: expected 68 to 65535 bytes, or 0 for the default"),
        (r#""mtu": -1"#, "mtu: -1: expected 68 to 65535 bytes, or 0 for the default"),
        (r#""mtu": 1400.5"#, "mtu: 1400.5: expected 68 to 65535 bytes, or 0 for the default"),
        (r#""mtu": "1400""#, r#"mtu: "1400": expected 68 to 65535 bytes, or 0 for the default"#),
        (
            r#""mtu": 1279, "ipv6": true"#,
            "mtu: 1279 beside ipv6 true: expected at least 1280 bytes, which every link with IPv6 carries (RFC 8200, section 5)",
        ),
        (
            r#""mtu": 576, "fixed-cidr-v6": "fd00:5::/64""#,
            r#"mtu: 576 beside fixed-cidr-v6 "fd00:5::/64": expected at least 1280 bytes, which every link with IPv6 carries (RFC 8200, section 5)"#,
        ),
    ]);
    for keys in
        [r#""mtu": 68"#, r#""mtu": 65535"#, r#""mtu": 1280, "ipv6": true"#, r#""mtu": 1279, "ipv6": false"#]
    {
        assert!(DaemonFile::parse(format!("{{{keys}}}").as_bytes()).is_ok(), "{keys}");
    }
}

#[test]
fn a_bridge_that_exists_keeps_its_own_addresses() {
    golden(&[
        (
            r#""bip": "192.168.1.5/24", "bridge": "br0""#,
            r#"bip: "192.168.1.5/24" beside bridge "br0": expected one of them: a bridge that exists keeps its own addresses"#,
        ),
        (
            r#""bip6": "fd00:5::1/64", "bridge": "br0""#,
            r#"bip6: "fd00:5::1/64" beside bridge "br0": expected one of them: a bridge that exists keeps its own addresses"#,
        ),
        (
            r#""bip": "192.168.1.5/24", "bridge": "none""#,
            r#"bip: "192.168.1.5/24" beside bridge "none": expected no address: there is no default network"#,
        ),
        (
            r#""bridge": "a/b""#,
            r#"bridge: "a/b": expected no slash, colon, white space or control character"#,
        ),
        (
            r#""bridge": "a-name-that-is-too-long""#,
            r#"bridge: "a-name-that-is-too-long": expected at most 15 bytes"#,
        ),
        (r#""bridge": true"#, "bridge: true: expected the name of a bridge, or none for no default network"),
    ]);
}

#[test]
fn what_would_be_dropped_without_ipv6_is_refused() {
    golden(&[
        (
            r#""ipv6": false, "fixed-cidr-v6": "fd00:5::/64""#,
            r#"fixed-cidr-v6: "fd00:5::/64" beside ipv6 false: expected ipv6 true or absent where a key gives the network IPv6 addresses"#,
        ),
        (
            r#""ipv6": false, "bip6": "fd00:5::1/64""#,
            r#"bip6: "fd00:5::1/64" beside ipv6 false: expected ipv6 true or absent where a key gives the network IPv6 addresses"#,
        ),
        (
            r#""ipv6": false, "bridge": "br0", "default-gateway-v6": "fd00:5::1""#,
            r#"default-gateway-v6: "fd00:5::1" beside ipv6 false: expected ipv6 true or absent where a key gives the network IPv6 addresses"#,
        ),
        (r#""ipv6": "true""#, r#"ipv6: "true": expected true or false"#),
    ]);
}

#[test]
fn a_network_that_means_something_else_is_named() {
    golden(&[
        (
            r#""bip": "127.0.0.5/24""#,
            r#"bip: "127.0.0.5/24": expected a network outside 127.0.0.0/8 (loopback: every host has these addresses to talk to itself)"#,
        ),
        (
            r#""bip": "169.254.169.1/24""#,
            r#"bip: "169.254.169.1/24": expected a network outside 169.254.0.0/16 (link-local: hosts without a server for addresses, and the clouds' metadata, are there)"#,
        ),
        (
            r#""fixed-cidr": "224.0.0.0/24""#,
            r#"fixed-cidr: "224.0.0.0/24": expected a network outside 224.0.0.0/4 (multicast: these addresses name groups of hosts)"#,
        ),
        (
            r#""fixed-cidr": "240.0.0.0/8""#,
            r#"fixed-cidr: "240.0.0.0/8": expected a network outside 240.0.0.0/4 (reserved: hosts and routers drop these addresses, and the last is broadcast)"#,
        ),
        (
            r#""bip": "0.0.0.1/8""#,
            r#"bip: "0.0.0.1/8": expected a network outside 0.0.0.0/8 (this network: only the sender of a host without an address is there)"#,
        ),
        (
            r#""bip": "126.0.0.1/7""#,
            r#"bip: "126.0.0.1/7": expected a network outside 127.0.0.0/8 (loopback: every host has these addresses to talk to itself)"#,
        ),
        (
            r#""fixed-cidr-v6": "::/64""#,
            r#"fixed-cidr-v6: "::/64": expected a network outside ::1/128 (loopback: every host has this address to talk to itself)"#,
        ),
        (
            r#""bip6": "fe80::1/64""#,
            r#"bip6: "fe80::1/64": expected a network outside fe80::/10 (link-local: every interface makes itself such an address)"#,
        ),
        (
            r#""bridge": "br0", "fixed-cidr-v6": "ff05::/64""#,
            r#"fixed-cidr-v6: "ff05::/64": expected a network outside ff00::/8 (multicast: these addresses name groups of hosts)"#,
        ),
    ]);
}

#[test]
fn names_are_resolved_by_servers_that_have_an_address() {
    golden(&[
        (
            r#""dns": ["10.20.1.2", "dns.example"]"#,
            r#"dns[1]: "dns.example": expected an IPv4 or IPv6 address"#,
        ),
        (r#""dns": ["10.20.1.2/32"]"#, r#"dns[0]: "10.20.1.2/32": expected an IPv4 or IPv6 address"#),
        (r#""dns": [5]"#, "dns[0]: 5: expected an IPv4 or IPv6 address"),
        (
            r#""dns": "10.20.1.2""#,
            r#"dns: "10.20.1.2": expected a list of addresses such as ["192.168.1.1"]"#,
        ),
        (r#""ip": "localhost""#, r#"ip: "localhost": expected an IPv4 or IPv6 address"#),
        (r#""ip": ["::1"]"#, r#"ip: ["::1"]: expected an IPv4 or IPv6 address"#),
    ]);
}

#[test]
fn a_word_of_resolv_conf_is_one_word() {
    let long = format!(r#""dns-search": ["{}.example"]"#, "x".repeat(64));
    assert!(said(&long).ends_with("expected a domain such as example.com, or . for none"));
    let long = format!(r#""dns-search": ["{}example"]"#, "x.".repeat(124));
    assert!(said(&long).ends_with("expected a domain such as example.com, or . for none"));
    for text in [
        "a b.example",
        "-a.example",
        "a-.example",
        "a..example",
        "10.1.2.3",
        "",
        "..",
        "é.example",
        "a\\nnameserver",
    ] {
        let keys = format!(r#""dns-search": ["{text}"]"#);
        assert_eq!(
            said(&keys),
            format!(r#"dns-search[0]: "{text}": expected a domain such as example.com, or . for none"#)
        );
    }
    golden(&[
        (
            r#""dns-search": "example.com""#,
            r#"dns-search: "example.com": expected a list of domains such as ["example.com"]"#,
        ),
        (
            r#""dns-search": [null]"#,
            "dns-search[0]: null: expected a domain such as example.com, or . for none",
        ),
        (
            r#""dns-opts": {"ndots": 2}"#,
            r#"dns-opts: {"ndots":2}: expected a list of options such as ["ndots:2"]"#,
        ),
        (
            r#""dns-opts": ["ndots:2 rotate"]"#,
            r#"dns-opts[0]: "ndots:2 rotate": expected one word such as ndots:2"#,
        ),
        (
            r#""dns-opts": ["rotate", "a\nnameserver"]"#,
            r#"dns-opts[1]: "a\nnameserver": expected one word such as ndots:2"#,
        ),
        (r#""dns-opts": [""]"#, r#"dns-opts[0]: "": expected one word such as ndots:2"#),
    ]);
}

#[test]
fn yes_and_no_are_true_and_false() {
    for key in ["ip-forward", "ip-masq", "icc", "ipv6"] {
        for value in ["0", r#""false""#, "[]", "{}"] {
            assert_eq!(
                said(&format!(r#""{key}": {value}"#)),
                format!("{key}: {value}: expected true or false")
            );
        }
    }
}

#[test]
fn a_pool_is_a_network_that_can_be_divided() {
    let pools = |pools: &str| said(&format!(r#""default-address-pools": {pools}"#));
    let pool = |base: &str, size: &str| pools(&format!(r#"[{{"base": {base}, "size": {size}}}]"#));
    let all = [
        pools(r#"{"base": "10.1.0.0/16", "size": 24}"#),
        pools(r#"["10.1.0.0/16"]"#),
        pools(r#"[{"base": "10.1.0.0/16", "size": 24}, {"base": "10.2.0.0/16"}]"#),
        pools(r#"[{"size": 24, "base": null}]"#),
        pool(r#""10.1.0.0""#, "24"),
        pool("10", "24"),
        pool(r#""10.1.0.5/16""#, "24"),
        pool(r#""127.1.0.0/16""#, "24"),
        pool(r#""10.1.0.0/31""#, "31"),
        pool(r#""10.1.0.0/16""#, r#""24""#),
        pool(r#""10.1.0.0/16""#, "-1"),
        pool(r#""10.1.0.0/16""#, "15"),
        pool(r#""10.1.0.0/16""#, "31"),
        pool(r#""10.1.0.0/16""#, "280"),
        pool(r#""fd00:5::/48""#, "127"),
    ];
    let expected = r#"
default-address-pools: {"base":"10.1.0.0/16","size":24}: expected a list of pools such as [{"base": "10.10.0.0/16", "size": 24}]
default-address-pools[0]: "10.1.0.0/16": expected a pool such as {"base": "10.10.0.0/16", "size": 24}
default-address-pools[1]: {"base":"10.2.0.0/16"}: expected a pool such as {"base": "10.10.0.0/16", "size": 24}
default-address-pools[0]: {"size":24,"base":null}: expected a pool such as {"base": "10.10.0.0/16", "size": 24}
default-address-pools[0].base: "10.1.0.0": expected a network such as 10.10.0.0/16
default-address-pools[0].base: 10: expected a network such as 10.10.0.0/16
default-address-pools[0].base: "10.1.0.5/16": expected the network itself, 10.1.0.0/16
default-address-pools[0].base: "127.1.0.0/16": expected a network outside 127.0.0.0/8 (loopback: every host has these addresses to talk to itself)
default-address-pools[0].base: "10.1.0.0/31": expected a prefix of at most 30 bits, which leaves room for containers
default-address-pools[0].size: "24": expected the prefix length of each network, such as 24
default-address-pools[0].size: -1: expected the prefix length of each network, such as 24
default-address-pools[0].size: 15: expected the prefix length of a network in 10.1.0.0/16 with room for containers, 16 to 30
default-address-pools[0].size: 31: expected the prefix length of a network in 10.1.0.0/16 with room for containers, 16 to 30
default-address-pools[0].size: 280: expected the prefix length of a network in 10.1.0.0/16 with room for containers, 16 to 30
default-address-pools[0].size: 127: expected the prefix length of a network in fd00:5::/48 with room for containers, 48 to 126
"#;
    assert_eq!(all.join("\n"), expected.trim());
}

#[test]
fn a_file_is_an_object() {
    let said = |text: &str| DaemonFile::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(said("[]"), "[]: expected an object");
    assert_eq!(said("null"), "null: expected an object");
    assert_eq!(said("{} {}"), "decode JSON");
    assert_eq!(said("{'bip': 1}"), "decode JSON");
}
