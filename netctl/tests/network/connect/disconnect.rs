//! `netctl disconnect`

use lab::Place;
use serde_json::json;

use crate::{Machine, Test};

#[test]
fn everything_that_it_had_is_free_again() -> Test {
    let machine = Machine::with("free", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("connect web green")?;
    // It stays as long as the bridge.
    machine.sh("echo 1 >/proc/sys/net/ipv4/conf/web/route_localnet")?;
    let before = machine.snapshot()?;
    machine.ok("connect web blue --ip 172.26.0.9 --ip6 fd26::9 -p 8080:80 -p 5353:53/udp --alias www")?;
    machine.quietly("disconnect web blue")?;
    machine.is_as_it_was(&before)?;
    assert_eq!(machine.interfaces("blue")?, Vec::<String>::new());
    assert_eq!(machine.sh("ip -n blue route; ip -n blue -6 route")?, "");
    machine.ok("connect web green --ifname eth1 --ip 172.26.0.9 --ip6 fd26::9 -p 8080:80 -p 5353:53/udp")?;
    Ok(())
}

#[test]
fn all_interfaces_of_it_there_go_or_the_one_that_is_named() -> Test {
    let machine = Machine::with("interfaces", "blue")?;
    machine.ok("create web")?;
    machine.ok("create db")?;
    machine.ok("connect db blue")?;
    machine.ok("connect web blue")?;
    machine.ok("connect web blue --ifname eth2")?;
    machine.ok("connect web blue --ifname eth3")?;
    machine.ok("disconnect web blue --ifname eth2")?;
    assert_eq!(machine.interfaces("blue")?, ["eth0", "eth1", "eth3"]);
    machine.refuses(
        "disconnect web blue --ifname eth0",
        "error: blue has no interface eth0 on network web: it has eth1, eth3\n",
    );
    machine.quietly("disconnect web blue --ifname eth0 --force")?;
    let gone = machine.json("disconnect web blue -o json")?;
    assert_eq!(gone.as_array().map(Vec::len), Some(2), "{gone}");
    assert_eq!(machine.interfaces("blue")?, ["eth0"]);
    Ok(())
}

#[test]
fn whoever_is_not_there_is_told_where_it_is() -> Test {
    let machine = Machine::with("elsewhere", "blue green")?;
    for network in ["web", "db", "cache"] {
        machine.ok(&format!("create {network}"))?;
    }
    machine.ok("connect db blue")?;
    machine.ok("connect cache blue")?;
    machine.ok("connect cache blue --ifname eth5")?;
    let hint = "hint: `netctl inspect web` shows who is on it\n";
    machine.refuses(
        "disconnect web blue",
        &format!("error: blue is not connected to network web, but to cache, db\n{hint}"),
    );
    machine.refuses("disconnect web green", &format!("error: green is not connected to network web\n{hint}"));
    for words in [
        "disconnect web blue -f",
        "disconnect -f web green",
        "disconnect web nobody --force",
        "disconnect -f web /run/x",
    ] {
        machine.quietly(words)?;
    }
    machine
        .refuses("disconnect -f webb blue", "error: network \"webb\" not found\nhint: did you mean web?\n");
    assert_eq!(machine.interfaces("blue")?, ["eth0", "eth1", "eth5"]);
    Ok(())
}

#[test]
fn a_network_is_left_as_it_was_joined_whatever_its_file_says_by_now() -> Test {
    let machine = Machine::with("changed", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue -p 8080:80")?;
    let mut list = machine.conflist("web")?;
    list["plugins"] = json!([{"type": "bridge", "bridge": "other", "ipam": {"type": "host-local", "subnet": "10.7.0.0/24"}}]);
    machine.has_file("netctl-web.conflist", &list)?;
    machine.quietly("disconnect web blue")?;
    assert_eq!(machine.sh("ls /var/lib/cni/networks/web | grep -c ^172 || true")?, "0\n");
    assert_eq!(machine.sh("nft list table inet netctl | grep -c web/blue || true")?, "0\n");
    Ok(())
}

#[test]
fn a_network_of_podman_is_joined_and_left() -> Test {
    let machine = Machine::with("podman", "blue")?;
    machine.has_others()?;
    machine.ok("connect podman1 blue -p 8080:80 --ip 10.89.0.9")?;
    let told = machine.inspect("podman1")?;
    assert_eq!(told["Containers"]["blue"]["IPv4Address"], "10.89.0.9/24");
    machine.ok("disconnect podman1 blue")?;
    assert_eq!(machine.inspect("podman1")?["Containers"], json!({}));
    Ok(())
}

#[test]
fn a_plugin_that_fails_is_told_and_the_rest_can_be_repeated() -> Test {
    let machine = Machine::with("fails", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue")?;
    // Leases that cannot be given back.
    machine.sh("cd /var/lib/cni/networks; mv web kept; echo torn >web")?;
    let outcome = machine.netctl("disconnect web blue");
    assert_eq!(outcome.code(), Some(1), "{outcome}");
    assert!(outcome.stderr().starts_with("error: remove blue/eth0 from network web\n"), "{outcome}");
    assert_eq!(machine.kept()?, "web-blue-eth0\n");
    machine.sh("cd /var/lib/cni/networks; rm web; mv kept web")?;
    machine.quietly("disconnect web blue")?;
    assert_eq!(machine.kept()?, "");
    machine.sh("test -z \"$(ls /var/lib/cni/networks/web | grep ^172)\"")?;
    machine.0.read_file("/etc/cni/net.d/netctl-web.conflist")?;
    Ok(())
}
