//! Which subnet a network gets that names none.

use std::collections::HashSet;
use std::thread;

use lab::Place;
use serde_json::json;

use crate::{Machine, Test, Wrong};

impl Machine {
    /// Makes a network: the subnet that it was given.
    fn given(&self, words: &str) -> Result<String, Wrong> {
        let made = self.json(&format!("create {words} -o json"))?;
        Ok(made["Subnets"][0]["Subnet"].as_str().unwrap_or_default().to_owned())
    }
}

#[test]
fn the_first_free_subnet_avoids_everything_that_the_host_knows() -> Test {
    let machine = Machine::new("free")?;
    machine.sh("ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up")?;
    for (number, (taken, expected)) in [
        ("true", "172.18.0.0/22"),
        ("ip route add 172.18.4.0/24 dev eth0", "172.18.8.0/22"),
        ("ip route add 172.18.12.0/22 dev eth0 table 100", "172.18.16.0/22"),
        ("ip addr add 172.18.20.5/32 dev eth0", "172.18.24.0/22"),
        ("ip addr add 172.18.28.1 peer 172.18.32.1/30 dev eth0", "172.18.36.0/22"),
        ("echo 'nameserver 172.18.40.53' >>/etc/resolv.conf", "172.18.44.0/22"),
        // As calico has one for each block of its pods' addresses.
        ("ip route add blackhole 172.18.48.64/26", "172.18.52.0/22"),
        ("ip route add unreachable 172.18.56.0/24 table 100", "172.18.60.0/22"),
        ("ip route add prohibit 172.18.64.7/32", "172.18.68.0/22"),
        ("ip route add throw 172.18.72.0/24 table 100", "172.18.72.0/22"),
    ]
    .iter()
    .enumerate()
    {
        machine.sh(taken)?;
        assert_eq!(machine.given(&format!("net{number}"))?, *expected, "{taken}");
    }
    Ok(())
}

#[test]
fn the_first_free_subnet_avoids_every_network_whoever_wrote_it() -> Test {
    let machine = Machine::new("others")?;
    machine.ok("create ours --subnet 172.18.0.0/24")?;
    let ranges =
        json!([[{"subnet": "172.18.4.0/24", "gateway": "172.18.4.1"}], [{"subnet": "172.18.9.0/24"}]]);
    let plugin =
        json!({"type": "bridge", "bridge": "cni-podman1", "ipam": {"type": "host-local", "ranges": ranges}});
    let podman = json!({"cniVersion": "0.4.0", "name": "podman1", "plugins": [plugin]});
    machine.0.write_file("/etc/cni/net.d/podman1.conflist", podman.to_string())?;
    let ipam = json!({"type": "host-local", "subnet": "172.18.12.0/22"});
    let single = json!({"cniVersion": "0.3.1", "name": "single", "type": "bridge", "ipam": ipam});
    machine.0.write_file("/etc/cni/net.d/10-single.conf", single.to_string())?;
    let bip = json!({"cniVersion": "1.0.0", "name": "bip", "plugins": [{"type": "bridge", "bip": "172.18.16.1/23"}]});
    machine.0.write_file("/etc/cni/net.d/20-bip.conflist", bip.to_string())?;
    assert_eq!(machine.given("web")?, "172.18.20.0/22");
    Ok(())
}

#[test]
fn network_bridge_has_its_subnet_before_it_is_made() -> Test {
    let machine = Machine::new("reserved")?;
    machine.0.write_file("/etc/netctl/daemon.json", r#"{"bip": "172.18.3.1/24"}"#)?;
    assert_eq!(machine.given("web")?, "172.18.4.0/22");
    Ok(())
}

#[test]
fn default_routes_and_their_halves_are_in_nobody_s_way() -> Test {
    let (machine, _outside) = Machine::behind("ways", 1500)?;
    machine.sh("ip route add 0.0.0.0/1 dev uplink; ip route add 128.0.0.0/1 dev uplink")?;
    machine.sh("ip -6 route add 2000::/3 dev uplink; ip -6 route add ::/1 dev uplink")?;
    assert_eq!(machine.given("web")?, "172.18.0.0/22");
    machine.ok("create six --ipv6")?;
    machine.ok("create named --subnet 172.30.0.0/16,2001:db8:7::/64")?;
    Ok(())
}

#[test]
fn a_large_neighbour_is_passed_in_one_step() -> Test {
    let machine = Machine::new("large")?;
    machine.sh("ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up")?;
    machine.sh("ip route add 172.16.0.0/12 dev eth0")?;
    // Network bridge, for which 172.17.0.0/16 is taken as well, has the first one.
    assert_eq!(machine.given("a")?, "192.168.4.0/22");
    let pool = json!({"default-address-pools": [{"base": "10.0.0.0/8", "size": 30}]});
    machine.0.write_file("/etc/netctl/daemon.json", pool.to_string())?;
    machine.sh("ip route add 10.0.0.0/9 dev eth0; ip route add 10.128.0.0/10 dev eth0")?;
    assert_eq!(machine.given("b")?, "10.192.0.4/30");
    Ok(())
}

#[test]
fn pools_of_daemon_json_take_the_place_of_ours() -> Test {
    let machine = Machine::new("pools")?;
    let pools = json!([{"base": "10.50.0.0/23", "size": 24}, {"base": "fd00:50::/48", "size": 64}]);
    machine.0.write_file("/etc/netctl/daemon.json", json!({"default-address-pools": pools}).to_string())?;
    // Network bridge has the first one.
    assert_eq!(machine.given("a")?, "10.50.1.0/24");
    assert_eq!(machine.given("b --ipv6 --ipv4=false")?, "fd00:50::/64");
    let before = machine.snapshot()?;
    machine.refuses(
        "create c",
        "error: create network c
  because: no IPv4 subnet is free in the address pools: each overlaps a network or a route of this host
hint: name one with --subnet, add to default-address-pools in daemon.json, or remove unused networks: `netctl prune`
",
    );
    machine.is_as_it_was(&before)?;
    machine.ok("rm a")?;
    assert_eq!(machine.given("c")?, "10.50.1.0/24");
    Ok(())
}

#[test]
fn pools_of_another_file_count_when_it_is_named() -> Test {
    let machine = Machine::new("named")?;
    let pools = json!({"default-address-pools": [{"base": "10.60.0.0/16", "size": 24}]});
    machine.0.write_file("/run/daemon.json", pools.to_string())?;
    assert_eq!(machine.given("a --config /run/daemon.json")?, "10.60.1.0/24");
    assert_eq!(machine.given("b")?, "172.18.0.0/22");
    Ok(())
}

#[test]
fn twelve_who_make_networks_at_once_get_twelve_subnets() -> Test {
    let machine = Machine::new("at-once")?;
    let subnets: Vec<String> = thread::scope(|scope| {
        let make = |number: usize| {
            let machine = &machine;
            scope.spawn(move || machine.given(&format!("net{number}")).map_err(|error| error.to_string()))
        };
        let makers: Vec<_> = (0..12).map(make).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect::<Result<_, _>>()
    })?;
    let different: HashSet<&String> = subnets.iter().collect();
    assert_eq!(different.len(), 12, "{subnets:?}");
    assert!((0..12).all(|number| machine.has_link(&format!("net{number}"))));
    assert_eq!(machine.ok("ls -q --filter type=custom")?.lines().count(), 12);
    Ok(())
}

#[test]
fn of_twelve_who_make_the_same_network_at_once_one_does() -> Test {
    let machine = Machine::new("the-same")?;
    let outcomes: Vec<_> = thread::scope(|scope| {
        let makers: Vec<_> = (0..12).map(|_| scope.spawn(|| machine.netctl("create web"))).collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.succeeded());
    assert_eq!((made.len(), refused.len()), (1, 11));
    let said = "error: create network web\n  because: network with name web already exists\n";
    assert!(refused.iter().all(|outcome| outcome.stderr().starts_with(said)), "{refused:#?}");
    Ok(())
}
