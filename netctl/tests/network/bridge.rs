//! Network `bridge`, which no file describes but daemon.json.

use lab::{Except, Place, Topic};
use serde_json::{Value, json};

use crate::{Machine, Test, Wrong, netctl};

const FILE: &str = "/etc/netctl/daemon.json";

impl Machine {
    /// Has a daemon.json.
    fn says(&self, content: &Value) -> Test {
        Ok(self.0.write_file(FILE, content.to_string())?)
    }

    /// The subnets of network `bridge` with ranges and gateways.
    fn subnets(&self) -> Result<Value, Wrong> {
        Ok(self.inspect("bridge")?["IPAM"]["Config"].take())
    }
}

#[test]
fn it_is_made_for_its_first_container_and_gone_with_its_last_one() -> Test {
    let machine = Machine::with("first", "blue green")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    let before = machine.snapshot()?;
    assert!(!machine.has_link("bridge"));
    assert_eq!(machine.inspect("bridge")?["Links"], json!([]));
    machine.quietly("connect bridge blue -p 8080:80")?;
    machine.quietly("connect bridge green")?;
    assert!(machine.has_link("bridge"));
    assert_eq!(machine.sh("cat /sys/class/net/bridge/ifalias")?, "netctl\n");
    assert_eq!(machine.inspect("bridge")?["Links"][0]["Addresses"][0], "172.17.0.1/16");
    machine.quietly("disconnect bridge blue")?;
    assert!(machine.has_link("bridge"));
    machine.quietly("disconnect bridge green")?;
    machine.is_as_it_was(&before)
}

#[test]
fn those_whose_namespace_is_gone_do_not_keep_it() -> Test {
    let machine = Machine::with("stale", "blue green")?;
    machine.ok("connect bridge blue -p 8080:80")?;
    machine.ok("connect bridge green")?;
    machine.sh("ip netns delete blue")?;
    machine.ok("disconnect bridge green")?;
    assert!(!machine.has_link("bridge"));
    assert_eq!(
        machine.sh(
            "ls /var/lib/cni/results /var/lib/cni/networks; nft list table inet netctl | grep bridge/ || true"
        )?,
        "/var/lib/cni/networks:\n\n/var/lib/cni/results:\n"
    );
    Ok(())
}

#[test]
fn it_avoids_what_the_host_uses() -> Test {
    let (machine, _outside) = Machine::behind("avoids", 1420)?;
    machine.sh("ip route add 172.17.0.0/24 dev uplink")?;
    assert_eq!(machine.subnets()?, json!([{"Subnet": "172.18.0.0/22", "Gateway": "172.18.0.1"}]));
    assert_eq!(machine.inspect("bridge")?["MTU"], 1420);
    machine.ok("create web")?;
    assert_eq!(machine.inspect("web")?["IPAM"]["Config"][0]["Subnet"], "172.18.4.0/22");
    Ok(())
}

#[test]
fn bip_alone_says_all_that_a_network_needs() -> Test {
    let machine = Machine::with("bip", "blue")?;
    machine.says(&json!({"bip": "192.168.1.5/24"}))?;
    assert_eq!(machine.subnets()?, json!([{"Subnet": "192.168.1.0/24", "Gateway": "192.168.1.5"}]));
    machine.ok("connect bridge blue")?;
    assert_eq!(machine.sh("ip -n blue route get 198.51.100.1 | grep -o 'via [^ ]*'")?, "via 192.168.1.5\n");
    assert!(machine.sh("ip -br addr show bridge")?.contains("192.168.1.5/24"));
    Ok(())
}

#[test]
fn every_key_of_addresses_means_what_it_means_to_docker() -> Test {
    let machine = Machine::new("addresses")?;
    for (says, means) in [
        (
            json!({"bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.128/25", "default-gateway": "192.168.1.254"}),
            json!([{"Subnet": "192.168.1.0/24", "IPRange": "192.168.1.128/25", "Gateway": "192.168.1.254"}]),
        ),
        (json!({"fixed-cidr": "10.20.0.0/16"}), json!([{"Subnet": "10.20.0.0/16", "Gateway": "10.20.0.1"}])),
        (
            json!({"bip": "10.20.0.1/16", "bip6": "fd00:5::1/64", "fixed-cidr-v6": "fd00:5::8000/113", "default-gateway-v6": "fd00:5::fe"}),
            json!([
                {"Subnet": "10.20.0.0/16", "Gateway": "10.20.0.1"},
                {"Subnet": "fd00:5::/64", "IPRange": "fd00:5::8000/113", "Gateway": "fd00:5::fe"},
            ]),
        ),
        (
            json!({"fixed-cidr-v6": "fd00:6::/64"}),
            json!([
                {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"},
                {"Subnet": "fd00:6::/64", "Gateway": "fd00:6::1"},
            ]),
        ),
        (
            json!({"ipv6": true, "default-address-pools": [{"base": "fd00:50::/48", "size": 64}]}),
            json!([
                {"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"},
                {"Subnet": "fd00:50::/64", "Gateway": "fd00:50::1"},
            ]),
        ),
        (
            json!({"default-address-pools": [{"base": "10.50.0.0/16", "size": 24}]}),
            json!([{"Subnet": "10.50.0.0/24", "Gateway": "10.50.0.1"}]),
        ),
        (
            json!({"bip": "", "fixed-cidr": null, "dns": []}),
            json!([{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]),
        ),
    ] {
        machine.says(&says)?;
        assert_eq!(machine.subnets()?, means, "{says}");
    }
    Ok(())
}

#[test]
fn every_other_key_has_its_effect() -> Test {
    let machine = Machine::with("effects", "blue")?;
    machine.says(&json!({
        "bip": "10.20.0.1/24", "mtu": 1400, "icc": false, "ip-masq": false, "ip-forward": false, "ip": "127.0.0.1",
        "dns": ["10.20.1.2"], "dns-search": ["example.com"], "dns-opts": ["ndots:2"],
    }))?;
    let result = machine.json("connect bridge blue -p 8080:80 -o json")?;
    let dns = json!({"nameservers": ["10.20.1.2"], "search": ["example.com"], "options": ["ndots:2"]});
    assert_eq!(result["dns"], dns);
    let told = machine.inspect("bridge")?;
    assert_eq!((&told["DNS"], &told["MTU"]), (&dns, &json!(1400)));
    assert_eq!(
        told["Containers"]["blue"]["Ports"]["80/tcp"][0],
        json!({"HostIp": "127.0.0.1", "HostPort": "8080"})
    );
    let port = told["Containers"]["blue"]["HostInterface"].as_str().unwrap_or_default();
    assert_eq!(
        machine.sh(&format!("cat /sys/class/net/{port}/brport/isolated /sys/class/net/bridge/mtu"))?,
        "1\n1400\n"
    );
    assert_eq!(machine.sh("ip -n blue link show eth0 | grep -o 'mtu [0-9]*'")?, "mtu 1400\n");
    assert_eq!(machine.read("/proc/sys/net/ipv4/ip_forward")?, "0\n");
    let masquerade =
        machine.sh("nft list set inet netctl masquerade4 2>/dev/null | grep -c 10.20.0 || true")?;
    assert_eq!(masquerade, "0\n");
    Ok(())
}

#[test]
fn another_file_counts_when_it_is_named() -> Test {
    let machine = Machine::with("named", "blue")?;
    machine.says(&json!({"bip": "10.20.0.1/24"}))?;
    machine.0.write_file("/run/other.json", json!({"bip": "10.30.0.1/24"}).to_string())?;
    let subnet = |told: &Value| told[0]["IPAM"]["Config"][0]["Subnet"].clone();
    assert_eq!(subnet(&machine.json("inspect bridge --config /run/other.json")?), "10.30.0.0/24");
    let told = netctl("inspect bridge").env("NETCTL_CONFIG", "/run/other.json").run(&machine.0).ok()?;
    assert_eq!(subnet(&serde_json::from_str(&told)?), "10.30.0.0/24");
    let told = netctl("inspect bridge").env("NETCTL_CONFIG", "").run(&machine.0).ok()?;
    assert_eq!(subnet(&serde_json::from_str(&told)?), "10.20.0.0/24");
    machine.refuses(
        "connect bridge blue --config /run/none.json",
        "error: describe network bridge\n  because: read /run/none.json\n  because: No such file or directory (os error 2)\n",
    );
    Ok(())
}

#[test]
fn keys_that_mean_nothing_here_are_told_once() -> Test {
    let machine = Machine::with("ignored", "blue")?;
    machine.says(&json!({
        "bip": "10.20.0.1/24", "log-driver": "json-file", "BIP": "x",
        "default-address-pools": [{"base": "10.50.0.0/16", "size": 24, "scope": "local"}],
    }))?;
    let said = "note: /etc/netctl/daemon.json: ignored, for they say nothing of networks: BIP, \
        default-address-pools[0].scope, log-driver\n";
    assert_eq!(machine.quietly("ls -q")?.lines().count(), 3);
    assert_eq!(machine.said("inspect bridge")?, said);
    machine.quietly("inspect bridge")?;
    machine.quietly("create web --subnet 10.60.0.0/24")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    machine.quietly("connect bridge blue")?;
    // Another content is another matter; and so is another boot.
    machine.says(&json!({"bip": "10.20.0.1/24", "log-level": "info"}))?;
    let said = "note: /etc/netctl/daemon.json: ignored, for they say nothing of networks: log-level\n";
    assert!(machine.said("create db --subnet 10.61.0.0/24")?.starts_with(said));
    machine.sh("rm -r /run/netctl/told")?;
    assert!(machine.said("create cache --subnet 10.62.0.0/24")?.starts_with(said));
    Ok(())
}

#[test]
fn a_file_that_changes_while_it_is_in_use_counts_when_its_containers_are_gone() -> Test {
    let machine = Machine::with("changed", "blue green")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward")?;
    machine.says(&json!({"bip": "10.20.0.1/24"}))?;
    machine.quietly("connect bridge blue")?;
    for says in [json!({"bip": "10.30.0.1/24"}), json!({"bridge": "none"}), json!({"bip": "nonsense"})] {
        machine.says(&says)?;
        let said = "note: network bridge stays as it was when its containers came; what /etc/netctl/daemon.json says by \
            now counts when they are gone: blue";
        assert_eq!(machine.said("inspect bridge")?, format!("{said}\n"), "{says}");
        assert_eq!(machine.said("connect bridge green")?, format!("{said}\n"), "{says}");
        assert_eq!(machine.address_in("green")?, "10.20.0", "{says}");
        machine.quietly("disconnect bridge green")?;
    }
    machine.says(&json!({"bip": "10.30.0.1/24"}))?;
    machine.quietly("disconnect bridge blue")?;
    machine.quietly("connect bridge blue")?;
    assert_eq!(machine.address_in("blue")?, "10.30.0");
    Ok(())
}

impl Machine {
    /// The first three numbers of a namespace's IPv4 address.
    fn address_in(&self, namespace: &str) -> Result<String, Wrong> {
        let script = format!("ip -n {namespace} -br -4 addr show eth0 | awk '{{print $3}}' | cut -d. -f1-3");
        Ok(self.sh(&script)?.trim().to_owned())
    }
}

#[test]
fn a_bridge_that_exists_keeps_its_addresses_and_stays() -> Test {
    let machine = Machine::with("exists", "blue")?;
    machine.sh("ip link add br7 type bridge; ip addr add 10.7.0.1/24 dev br7; ip link set br7 up")?;
    machine.says(&json!({"bridge": "br7"}))?;
    let before = machine.snapshot()?;
    assert_eq!(machine.subnets()?, json!([{"Subnet": "10.7.0.0/24", "Gateway": "10.7.0.1"}]));
    machine.ok("connect bridge blue")?;
    assert_eq!(machine.address_in("blue")?, "10.7.0");
    machine.ok("disconnect bridge blue")?;
    let topics =
        [Topic::Nftables, Topic::Iptables, Topic::File, Topic::Sysctl, Topic::Route].map(Except::Topic);
    assert_eq!(before.left_behind(&machine.0, &topics)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_bridge_that_is_none_is_told_with_what_to_do() -> Test {
    let machine = Machine::with("none", "blue")?;
    machine.sh("ip link add web type veth peer name far")?;
    for (link, found) in [
        ("br9", "there is no such link"),
        ("far", "it is no bridge but veth"),
        ("lo", "it is no bridge but hardware"),
    ] {
        machine.says(&json!({"bridge": link}))?;
        let said = format!(
            "error: describe network bridge\n  because: bridge {link} of /etc/netctl/daemon.json: {found}\n\
            hint: make it first: `ip link add {link} type bridge`; or leave the key bridge away\n"
        );
        machine.refuses("connect bridge blue", &said);
        assert!(machine.netctl("ls").stderr().starts_with("warning: "));
    }
    machine.says(&json!({"bridge": "none"}))?;
    let said = "error: there is no network bridge: /etc/netctl/daemon.json says \"bridge\": \"none\"\n\
        hint: leave that key away, or name another network\n";
    machine.refuses("connect bridge blue", said);
    machine.refuses("rm bridge", said);
    assert_eq!(machine.quietly("ls -q")?.lines().count(), 2);
    Ok(())
}

#[test]
fn addresses_that_somebody_uses_are_refused_with_who_it_is() -> Test {
    let (machine, _outside) = Machine::behind("used", 1500)?;
    machine.add("blue")?;
    machine.ok("create web --subnet 172.26.0.0/16")?;
    for (key, value, taken) in [
        ("bip", "10.99.0.5/24", "the host's route 10.99.0.0/24 dev uplink"),
        ("bip", "172.26.7.1/24", "network web (172.26.0.0/16)"),
        ("fixed-cidr", "10.99.0.128/25", "the host's route 10.99.0.0/24 dev uplink"),
        ("fixed-cidr-v6", "fd99::/64", "the host's route fd99::/64 dev uplink"),
    ] {
        machine.says(&json!({key: value}))?;
        let said = format!(
            "error: describe network bridge\n  because: {key} {value} of /etc/netctl/daemon.json: it overlaps {taken}\n\
            hint: choose another {key}; without one a free subnet is chosen\n"
        );
        machine.refuses("connect bridge blue", &said);
    }
    Ok(())
}

#[test]
fn bad_combinations_are_refused_with_both_values() -> Test {
    let machine = Machine::with("bad", "blue")?;
    for (says, said) in [
        (json!({"bip": "192.168.1.0/24"}), "bip: \"192.168.1.0/24\": "),
        (json!({"bip": "192.168.1.5"}), "bip: \"192.168.1.5\": "),
        (json!({"bip": "127.0.0.5/24"}), "bip: \"127.0.0.5/24\": "),
        (
            json!({"bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16"}),
            "fixed-cidr: \"10.20.0.0/16\" beside bip \"192.168.1.5/24\": ",
        ),
        (
            json!({"bip": "192.168.1.5/24", "default-gateway": "10.20.1.1"}),
            "default-gateway: \"10.20.1.1\" beside bip \"192.168.1.5/24\": ",
        ),
        (json!({"default-gateway": "10.20.1.1"}), "default-gateway: \"10.20.1.1\": "),
        (json!({"bip": "10.7.0.1/24", "bridge": "br7"}), "bip: \"10.7.0.1/24\" beside bridge \"br7\": "),
        (
            json!({"fixed-cidr-v6": "fd00:6::/64", "ipv6": false}),
            "fixed-cidr-v6: \"fd00:6::/64\" beside ipv6 false: ",
        ),
        (json!({"mtu": 20}), "mtu: 20: "),
        (json!({"mtu": "1400"}), "mtu: \"1400\": "),
        (json!({"mtu": 1000, "ipv6": true}), "mtu: 1000 beside ipv6 true: "),
        (json!({"icc": "no"}), "icc: \"no\": "),
        (json!({"dns": ["one.one"]}), "dns[0]: \"one.one\": "),
        (json!({"dns-search": ["a b"]}), "dns-search[0]: \"a b\": "),
        (json!({"dns-opts": ["a b"]}), "dns-opts[0]: \"a b\": "),
        (json!({"ip": "localhost"}), "ip: \"localhost\": "),
        (json!(["bip"]), "[\"bip\"]: expected an object"),
    ] {
        machine.says(&says)?;
        let outcome = machine.netctl("connect bridge blue");
        let first = format!(
            "error: describe network bridge\n  because: use /etc/netctl/daemon.json\n  because: {said}"
        );
        assert!(outcome.stderr().starts_with(&first), "{says}: {outcome}");
        assert_eq!(outcome.code(), Some(1));
    }
    machine.0.write_file(FILE, "{\"bip\": \"10.7.0.1/24\", \"bip\": \"10.8.0.1/24\"}")?;
    let outcome = machine.netctl("connect bridge blue");
    assert!(
        outcome.stderr().contains("because: bip: \"10.7.0.1/24\" and \"10.8.0.1/24\": expected it once\n"),
        "{outcome}"
    );
    assert!(!machine.has_link("bridge"));
    Ok(())
}

#[test]
fn a_file_that_says_nothing_is_as_good_as_none() -> Test {
    let machine = Machine::new("nothing")?;
    for content in ["", "{}", " \n", "{\"bip\": null}"] {
        machine.0.write_file(FILE, content)?;
        assert_eq!(
            machine.subnets()?,
            json!([{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}]),
            "{content:?}"
        );
    }
    machine.sh("rm /etc/netctl/daemon.json; mkdir /etc/netctl/daemon.json")?;
    let outcome = machine.netctl("inspect bridge");
    assert!(
        outcome
            .stderr()
            .starts_with("error: describe network bridge\n  because: read /etc/netctl/daemon.json\n"),
        "{outcome}"
    );
    Ok(())
}

#[test]
fn its_subnet_stays_while_others_come_and_go() -> Test {
    let machine = Machine::with("stays", "blue green")?;
    machine.sh("ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up")?;
    machine.ok("connect bridge blue")?;
    // A route to its own subnet that came later.
    machine.sh("ip route add 172.17.5.0/24 dev eth0")?;
    machine.ok("connect bridge green")?;
    assert_eq!(machine.address_in("green")?, "172.17.0");
    Ok(())
}
