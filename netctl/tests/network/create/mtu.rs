//! The size of packets: the uplink's, unless somebody says another.

use lab::Place;

use crate::{Machine, Test};

/// The note that tells where an MTU comes from.
fn told(mtu: u32) -> String {
    format!("note: mtu {mtu}, as that of the link by which this host reaches others\n")
}

#[test]
fn behind_a_vpn_packets_are_as_small_as_it_needs_them() -> Test {
    let (machine, _outside) = Machine::behind("vpn", 1420)?;
    machine.add("blue")?;
    let said = machine.said("create web")?;
    assert!(said.ends_with(&told(1420)), "{said}");
    assert_eq!(machine.conflist("web")?["plugins"][0]["mtu"], 1420);
    assert_eq!(machine.inspect("web")?["Links"][0]["MTU"], 1420);
    machine.ok("connect web blue")?;
    assert_eq!(machine.sh("ip -n blue link show eth0 | grep -o 'mtu [0-9]*'")?, "mtu 1420\n");
    Ok(())
}

#[test]
fn an_ethernet_s_mtu_is_not_worth_a_word() -> Test {
    let (machine, _outside) = Machine::behind("ethernet", 1500)?;
    machine.quietly("create web --subnet 172.26.0.0/16")?;
    assert_eq!(machine.conflist("web")?["plugins"][0].get("mtu"), None);
    Ok(())
}

#[test]
fn without_a_default_route_it_is_the_kernel_s() -> Test {
    let machine = Machine::new("offline")?;
    machine.quietly("create web --subnet 172.26.0.0/16")?;
    assert_eq!(machine.conflist("web")?["plugins"][0].get("mtu"), None);
    Ok(())
}

#[test]
fn the_halves_of_a_vpn_win_over_the_default_route_and_a_route_s_own_mtu_over_its_link_s() -> Test {
    let (machine, _outside) = Machine::behind("halves", 1500)?;
    machine.sh("ip link add wg0 mtu 1380 type veth peer name far
        ip link set wg0 up; ip link set far up
        ip route add 0.0.0.0/1 dev wg0; ip route add 128.0.0.0/1 dev wg0")?;
    assert_eq!(machine.said("create --subnet 172.26.0.0/24 vpn")?, told(1380));
    machine.sh("ip link delete wg0; ip route change default via 10.99.0.2 mtu 1410")?;
    assert_eq!(machine.said("create --subnet 172.26.1.0/24 metric")?, told(1410));
    Ok(())
}

#[test]
fn whoever_names_an_mtu_gets_it_without_a_word() -> Test {
    let (machine, _outside) = Machine::behind("named", 1420)?;
    for (name, words) in [
        ("a", "--mtu 1300 --subnet 172.26.0.0/24"),
        ("b", "-o mtu=1300 --subnet 172.26.1.0/24"),
        ("c", "--opt com.docker.network.driver.mtu=1300 --subnet 172.26.2.0/24"),
        ("d", "--mtu 1300 -o mtu=1300 --subnet 172.26.3.0/24"),
    ] {
        machine.quietly(&format!("create {name} {words}"))?;
        assert_eq!(machine.inspect(name)?["Links"][0]["MTU"], 1300, "{words}");
    }
    Ok(())
}

#[test]
fn the_limits_themselves_are_allowed() -> Test {
    let machine = Machine::new("limits")?;
    for (number, words) in [
        "--mtu 68 --subnet 10.1.0.0/24",
        "--mtu 65535 --subnet 10.2.0.0/24",
        "--mtu 1280 --subnet fd01::/64 --ipv4=false",
    ]
    .iter()
    .enumerate()
    {
        machine.quietly(&format!("create net{number} {words}"))?;
    }
    Ok(())
}

#[test]
fn what_goes_nowhere_and_what_ipv6_cannot_use_is_not_taken_over() -> Test {
    let (machine, _outside) = Machine::behind("unused", 1420)?;
    machine.quietly("create inner --internal --subnet 172.26.0.0/24")?;
    assert_eq!(machine.conflist("inner")?["plugins"][0].get("mtu"), None);
    // IPv6 needs 1280 bytes (RFC 8200, section 5).
    machine.0.sh("ip link set uplink mtu 1000").ok()?;
    machine.quietly("create both --subnet 172.26.1.0/24,fd26::/64")?;
    assert_eq!(machine.conflist("both")?["plugins"][0].get("mtu"), None);
    assert_eq!(machine.said("create four --subnet 172.26.2.0/24")?, told(1000));
    Ok(())
}
