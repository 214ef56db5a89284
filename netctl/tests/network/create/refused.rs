//! What cannot be made is refused in words that name what is in the way and the way out, and nothing is made.

use lab::Place;
use serde_json::json;

use crate::{Machine, Test};

/// The words behind `create`; why not; the way out.
type Case<'a> = (&'a str, &'a str, &'a str);

impl Machine {
    /// Fails unless each of these is refused as told and the host stays as it was. The network is called `web`, unless
    /// the words begin with another name.
    #[track_caller]
    fn refuses_to_create(&self, cases: &[Case<'_>]) -> Test {
        let before = self.snapshot()?;
        for (words, because, hint) in cases {
            let name = words.split(' ').next().filter(|word| !word.starts_with('-')).unwrap_or("web");
            let words = words.strip_prefix(name).unwrap_or(words);
            let hint = if hint.is_empty() { String::new() } else { format!("hint: {hint}\n") };
            let said = format!("error: create network {name}\n  because: {because}\n{hint}");
            self.refuses(&format!("create {name} {words}"), &said);
        }
        self.is_as_it_was(&before)
    }
}

const FREE: &str = "without --subnet a free one is chosen";

#[test]
fn names_that_are_taken_or_too_long() -> Test {
    let machine = Machine::new("names")?;
    machine.ok("create web")?;
    let long = "x".repeat(129);
    let other = "choose another name";
    let bridge = "daemon.json says what it is like; choose another name for another network";
    let predefined =
        |name: &str| format!("network {name} is predefined: it exists on every host and cannot be made");
    machine.refuses_to_create(&[
        (
            "web",
            "network with name web already exists",
            "`netctl inspect web` shows it, `netctl rm web` removes it",
        ),
        ("bridge", &predefined("bridge"), bridge),
        ("host", &predefined("host"), other),
        ("none", &predefined("none"), other),
        ("default", "network name default is reserved: it means network bridge", other),
        (&long, &format!("invalid network name {long:?}: expected at most 128 characters"), ""),
    ])?;
    machine.ok(&format!("create {}", "x".repeat(128)))?;
    Ok(())
}

#[test]
fn words_that_are_no_names_no_subnets_and_no_numbers() -> Test {
    let machine = Machine::new("words")?;
    let before = machine.snapshot()?;
    let alphabet = "expected letters, digits, '_', '.' and '-', beginning with a letter or digit";
    for name in ["../web", "we/b", ".", "..", "_web", "w\u{e9}b", "container:web", "-web"] {
        let said =
            format!("error: invalid value '{name}' for '<NAME>': invalid network name {name:?}: {alphabet}");
        machine.misunderstands(&format!("create -- {name}"), &said);
    }
    let cidr = "expected an address and the length of its prefix, such as 172.26.0.0/16";
    for subnet in
        ["172.26.0.0", "172.26.0.0/33", "172.26.0/24", "fd00::/129", "x", "172.26.0.0/16,", "010.1.0.0/16"]
    {
        let value = subnet.split(',').next_back().unwrap_or_default();
        let said = format!("error: invalid value '{value}' for '--subnet <CIDR>': {cidr}");
        machine.misunderstands(&format!("create web --subnet {subnet}"), &said);
    }
    let mtu = |text: &str| format!("invalid mtu {text}: expected 68 to 65535 bytes");
    for (words, said) in [
        (
            "--ip-range 172.26.5.0",
            &*format!("error: invalid value '172.26.5.0' for '--ip-range <CIDR>': {cidr}"),
        ),
        (
            "--gateway 300.1.1.1",
            "error: invalid value '300.1.1.1' for '--gateway <IP>': invalid IP address syntax",
        ),
        ("--dns one.one", "error: invalid value 'one.one' for '--dns <IP>': invalid IP address syntax"),
        ("--mtu 67", &format!("error: invalid value '67' for '--mtu <BYTES>': {}", mtu("67"))),
        ("--mtu 65536", &format!("error: invalid value '65536' for '--mtu <BYTES>': {}", mtu("65536"))),
        (
            "--mtu 4294967297",
            &format!("error: invalid value '4294967297' for '--mtu <BYTES>': {}", mtu("4294967297")),
        ),
        ("--mtu=-1", &format!("error: invalid value '-1' for '--mtu <BYTES>': {}", mtu("-1"))),
        ("--mtu=0", &format!("error: invalid value '0' for '--mtu <BYTES>': {}", mtu("0"))),
        ("--mtu=1e3", &format!("error: invalid value '1e3' for '--mtu <BYTES>': {}", mtu("1e3"))),
        ("--ipv6=perhaps", "error: invalid value 'perhaps' for '--ipv6[=<BOOL>]'"),
        (
            "-d overlay",
            "error: invalid value 'overlay' for '--driver <DRIVER>': unknown driver \"overlay\": expected bridge, macvlan or ipvlan",
        ),
        (
            "-d host",
            "error: invalid value 'host' for '--driver <DRIVER>': there is one network with driver \"host\", and it exists already: network host",
        ),
        (
            "-d null",
            "error: invalid value 'null' for '--driver <DRIVER>': there is one network with driver \"null\", and it exists already: network none",
        ),
        ("--subnt 172.26.0.0/16", "error: unexpected argument '--subnt' found"),
    ] {
        machine.misunderstands(&format!("create web {words}"), said);
    }
    machine.misunderstands("create", "error: the following required arguments were not provided:");
    machine.is_as_it_was(&before)
}

#[test]
fn subnets_that_are_none() -> Test {
    let machine = Machine::new("subnets")?;
    machine.refuses_to_create(&[
        (
            "--subnet 172.26.0.5/16",
            "invalid subnet 172.26.0.5/16: it has host bits set: it should be 172.26.0.0/16",
            "--subnet 172.26.0.0/16",
        ),
        (
            "--subnet fd00::1/64",
            "invalid subnet fd00::1/64: it has host bits set: it should be fd00::/64",
            "--subnet fd00::/64",
        ),
        (
            "--subnet 172.26.0.0/31",
            "invalid subnet 172.26.0.0/31: expected a prefix of at most 30 bits, which leaves room for containers",
            "",
        ),
        (
            "--subnet fd00::/127",
            "invalid subnet fd00::/127: expected a prefix of at most 126 bits, which leaves room for containers",
            "",
        ),
        (
            "--subnet 172.26.0.0/16 --subnet 172.26.7.0/24",
            "subnet 172.26.7.0/24 overlaps 172.26.0.0/16, which is named before it",
            "",
        ),
        (
            "--ipv4=false",
            "the network would have no addresses: expected IPv4, IPv6 or both",
            "leave --ipv4=false away, or give --ipv6",
        ),
    ])
}

#[test]
fn networks_that_mean_something_else() -> Test {
    let machine = Machine::new("reserved")?;
    let cases = [
        ("0.0.0.0/0", "0.0.0.0/8 (this network: only the sender of a host without an address is there)"),
        ("0.0.0.0/24", "0.0.0.0/8 (this network: only the sender of a host without an address is there)"),
        ("127.0.0.0/16", "127.0.0.0/8 (loopback: every host has these addresses to talk to itself)"),
        (
            "169.254.0.0/16",
            "169.254.0.0/16 (link-local: hosts without a server for addresses, and the clouds' metadata, are there)",
        ),
        ("224.0.0.0/24", "224.0.0.0/4 (multicast: these addresses name groups of hosts)"),
        (
            "240.0.0.0/8",
            "240.0.0.0/4 (reserved: hosts and routers drop these addresses, and the last is broadcast)",
        ),
        ("fe80::/64", "fe80::/10 (link-local: every interface makes itself such an address)"),
        ("ff02::/64", "ff00::/8 (multicast: these addresses name groups of hosts)"),
        ("::/64", "::1/128 (loopback: every host has this address to talk to itself)"),
        ("::ffff:0.0.0.0/96", "::ffff:0.0.0.0/96 (IPv4-mapped: programs write IPv4 addresses that way)"),
    ];
    let told = cases.map(|(subnet, reserved)| {
        (format!("--subnet {subnet}"), format!("invalid subnet {subnet}: it overlaps {reserved}"))
    });
    let cases: Vec<Case<'_>> = told.iter().map(|(words, because)| (&**words, &**because, FREE)).collect();
    machine.refuses_to_create(&cases)
}

#[test]
fn subnets_that_somebody_uses() -> Test {
    let (machine, _outside) = Machine::behind("used", 1500)?;
    machine.ok("create db --subnet 172.26.0.0/16")?;
    machine.sh("ip route add 10.20.0.0/16 via 10.99.0.7; ip route add 10.30.0.0/16 dev uplink table 7
        ip route add blackhole 10.60.0.64/26
        ip addr add 10.40.0.1/32 dev lo; echo 'nameserver 10.50.0.53' >>/etc/resolv.conf")?;
    let overlap = |subnet: &str, taken: &str| format!("subnet {subnet} overlaps {taken}");
    let of_network = format!("`netctl inspect db` shows what it uses; {FREE}");
    let of_route = format!("packets for the one would go to the other; {FREE}");
    let of_server = format!("names would not be resolved any more; {FREE}");
    let bridge = format!("`netctl inspect bridge` shows what it uses; {FREE}");
    let db = "network db (172.26.0.0/16)";
    machine.refuses_to_create(&[
        ("--subnet 172.26.0.0/16", &overlap("172.26.0.0/16", db), &of_network),
        ("--subnet 172.26.9.0/24", &overlap("172.26.9.0/24", db), &of_network),
        ("--subnet 172.24.0.0/13", &overlap("172.24.0.0/13", db), &of_network),
        ("--subnet 172.17.9.0/24", &overlap("172.17.9.0/24", "network bridge (172.17.0.0/16)"), &bridge),
        (
            "--subnet 10.20.7.0/24",
            &overlap("10.20.7.0/24", "the host's route 10.20.0.0/16 via 10.99.0.7 dev uplink"),
            &of_route,
        ),
        (
            "--subnet 10.30.7.0/24",
            &overlap("10.30.7.0/24", "the host's route 10.30.0.0/16 dev uplink"),
            &of_route,
        ),
        (
            "--subnet 10.40.0.0/24",
            &overlap("10.40.0.0/24", "the host's address 10.40.0.1/32 of lo"),
            &of_route,
        ),
        ("--subnet 10.60.0.0/24", &overlap("10.60.0.0/24", "the host's route 10.60.0.64/26"), &of_route),
        ("--subnet 10.50.0.0/24", &overlap("10.50.0.0/24", "the host's name server 10.50.0.53"), &of_server),
        (
            "--subnet 10.99.0.0/24",
            &overlap("10.99.0.0/24", "the host's route 10.99.0.0/24 dev uplink"),
            &of_route,
        ),
        ("--subnet fd99::/48", &overlap("fd99::/48", "the host's route fd99::/64 dev uplink"), &of_route),
    ])
}

#[test]
fn gateways_and_ranges_that_do_not_fit() -> Test {
    let machine = Machine::new("gateways")?;
    let subnet = "--subnet 172.26.0.0/24";
    let both = format!("{subnet} --subnet fd26::/64");
    machine.refuses_to_create(&[
        (
            "--gateway 172.26.0.1",
            "gateway 172.26.0.1 is in none of the network's subnets: no --subnet is given",
            "give --subnet beside --gateway",
        ),
        (
            "--ip-range 172.26.0.0/25",
            "ip-range 172.26.0.0/25 is in none of the network's subnets: no --subnet is given",
            "give --subnet beside --ip-range",
        ),
        (
            &format!("{both} --gateway 172.26.1.1"),
            "gateway 172.26.1.1 is in none of the network's subnets (172.26.0.0/24, fd26::/64)",
            "",
        ),
        (
            &format!("{subnet} --gateway fd26::1"),
            "gateway fd26::1 is in none of the network's subnets (172.26.0.0/24)",
            "",
        ),
        (
            &format!("{subnet} --gateway 172.26.0.0"),
            "gateway 172.26.0.0 is no host's address in 172.26.0.0/24: expected one from 172.26.0.1 to 172.26.0.254",
            "",
        ),
        (
            &format!("{subnet} --gateway 172.26.0.255"),
            "gateway 172.26.0.255 is no host's address in 172.26.0.0/24: expected one from 172.26.0.1 to 172.26.0.254",
            "",
        ),
        (
            &format!("{both} --gateway fd26::"),
            "gateway fd26:: is no host's address in fd26::/64: expected one from fd26::1 to fd26::ffff:ffff:ffff:ffff",
            "",
        ),
        (
            &format!("{subnet} --gateway 172.26.0.1,172.26.0.2"),
            "subnet 172.26.0.0/24 has two gateways: 172.26.0.1 and 172.26.0.2",
            "",
        ),
        (
            &format!("{subnet} --ip-range 172.26.0.0/23"),
            "ip-range 172.26.0.0/23 is in none of the network's subnets (172.26.0.0/24)",
            "",
        ),
        (
            &format!("{subnet} --ip-range 172.26.0.0/25 --ip-range 172.26.0.128/25"),
            "subnet 172.26.0.0/24 has two ranges: 172.26.0.0/25 and 172.26.0.128/25",
            "",
        ),
        (
            &format!("{subnet} --ip-range 172.26.0.1/32"),
            "ip-range 172.26.0.1/32 leaves no address for a container: 172.26.0.1 is the gateway's",
            "",
        ),
    ])
}

#[test]
fn links_that_are_taken() -> Test {
    let machine = Machine::new("links")?;
    machine.sh("ip link add br7 type bridge; ip addr add 10.7.0.1/24 dev br7
        ip link add web type veth peer name far; ip addr add 10.8.0.1/24 dev web")?;
    machine.ok("create db")?;
    machine.refuses_to_create(&[
        (
            "br7",
            "link br7 exists (bridge) with 10.7.0.1/24",
            "to use this bridge, say -o com.docker.network.bridge.name=br7; or choose another name for the network",
        ),
        (
            "web",
            "link web exists (veth) with 10.8.0.1/24",
            "choose another name for the network, or for its bridge: -o com.docker.network.bridge.name=NAME",
        ),
        (
            "lo",
            "link lo exists with 127.0.0.1/8, ::1/128",
            "choose another name for the network, or for its bridge: -o com.docker.network.bridge.name=NAME",
        ),
        (
            "other -o com.docker.network.bridge.name=db",
            "bridge db is that of network db",
            "name another with -o com.docker.network.bridge.name=NAME, or leave the option away",
        ),
        (
            "other -o bridge.name=far",
            "link far exists (veth)",
            "choose another name for the network, or for its bridge: -o com.docker.network.bridge.name=NAME",
        ),
    ])?;
    // A bridge that somebody made is used when it is named, and stays whose it is.
    machine.quietly("create mine -o bridge.name=br7 --subnet 10.7.0.0/24")?;
    machine.ok("rm mine")?;
    assert_eq!(machine.sh("ip -br -4 addr show br7 | awk '{print $3}'")?, "10.7.0.1/24\n");
    Ok(())
}

#[test]
fn wishes_that_exclude_each_other() -> Test {
    let machine = Machine::new("wishes")?;
    machine.refuses_to_create(&[
        ("--mtu 1279 --ipv6", "mtu 1279 is too small for IPv6: expected at least 1280 bytes", ""),
        ("-o mtu=1000 --subnet fd26::/64", "mtu 1000 is too small for IPv6: expected at least 1280 bytes", ""),
        (
            "--mtu 1400 -o mtu=1500",
            "--mtu 1400 and the option com.docker.network.driver.mtu=1500 differ: expected one of them",
            "",
        ),
        (
            "--internal -o com.docker.network.bridge.enable_ip_masquerade=true",
            "--internal and the option com.docker.network.bridge.enable_ip_masquerade=true exclude each other: \
             nothing leaves an internal network",
            "",
        ),
        (
            "-o com.docker.network.bridge.gateway_mode_ipv4=isolated",
            "gateway mode isolated is for internal networks: expected --internal beside it",
            "",
        ),
    ])
}

#[test]
fn networks_on_links_that_are_not_there() -> Test {
    let machine = Machine::new("parents")?;
    machine.refuses_to_create(&[
        (
            "-d macvlan --subnet 10.99.0.0/24",
            "driver macvlan needs a link of the host to work on, and there is no default route to take it from",
            "name it: -o parent=LINK",
        ),
        (
            "-d ipvlan --subnet 10.99.0.0/24 -o parent=eth9",
            "driver ipvlan: there is no link eth9",
            "`ip link` shows which there are",
        ),
        (
            "-d macvlan -o parent=lo",
            "driver macvlan needs --subnet: its containers live in the network of the host's link",
            "the link's own network is 127.0.0.0/8, ::1/128; give --ip-range beside it, so that nobody else uses the same addresses",
        ),
    ])?;
    let (machine, _outside) = Machine::behind("macvlan", 1420)?;
    machine.refuses_to_create(&[
        (
            "-d macvlan",
            "driver macvlan needs --subnet: its containers live in the network of the host's link",
            "the link's own network is 10.99.0.0/24, fd99::/64; give --ip-range beside it, so that nobody else uses the same addresses",
        ),
        (
            "-d macvlan --subnet 10.99.0.0/24 --mtu 1500",
            "mtu 1500 is larger than that of uplink: expected at most 1420 bytes",
            "",
        ),
    ])
}

#[test]
fn drivers_whose_plugin_is_nowhere() -> Test {
    let (machine, _outside) = Machine::behind("nowhere", 1500)?;
    machine.sh(
        "for at in /opt/cni/bin /usr/lib/cni; do if [ -d $at ]; then mount -t tmpfs none $at; fi; done",
    )?;
    let before = machine.snapshot()?;
    let outcome = machine.netctl("create web -d macvlan --subnet 10.99.0.0/24");
    let said = "error: create network web: driver macvlan is not installed
  because: find plugin \"macvlan\" in path \"/opt/cni/bin:/usr/lib/cni\"
";
    assert!(outcome.stderr().starts_with(said), "{outcome}");
    assert_eq!(outcome.code(), Some(1));
    machine.is_as_it_was(&before)
}

#[test]
fn a_daemon_json_that_cannot_be_used() -> Test {
    let machine = Machine::new("daemon")?;
    let file = "/etc/netctl/daemon.json";
    let bad = "error: use /etc/netctl/daemon.json\n  because: ";
    for (content, said) in [
        ("{", format!("{bad}decode JSON\n  because: EOF while parsing an object at line 1 column 1\n")),
        ("[1]", format!("{bad}[1]: expected an object\n")),
        (
            r#"{"mtu": "1400"}"#,
            format!("{bad}mtu: \"1400\": expected 68 to 65535 bytes, or 0 for the default\n"),
        ),
        (
            r#"{"default-address-pools": [{"base": "10.0.0.0/16", "size": 8}]}"#,
            format!(
                "{bad}default-address-pools[0].size: 8: expected the prefix length of a network in 10.0.0.0/16 with room for \
                containers, 16 to 30\n"
            ),
        ),
        (
            r#"{"bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16"}"#,
            format!(
                "{bad}fixed-cidr: \"10.20.0.0/16\" beside bip \"192.168.1.5/24\": expected a part of bip's network \
                192.168.1.0/24\nhint: bip says which network it is, fixed-cidr only which part of it containers get: \
                leave fixed-cidr out, or change bip to an address in it\n"
            ),
        ),
    ] {
        machine.0.write_file(file, content)?;
        let before = machine.snapshot()?;
        machine.refuses("create web", &said);
        machine.is_as_it_was(&before)?;
    }
    machine.refuses(
        "create web --config /run/none.json",
        "error: read /run/none.json\n  because: No such file or directory (os error 2)\n",
    );
    machine.0.write_file("/run/daemon.json", json!({"mtu": 1400}).to_string())?;
    machine.ok("create web --config /run/daemon.json")?;
    Ok(())
}
