//! A container on several networks: which of them is its way out.

use crate::{Machine, Test, Wrong};

impl Machine {
    /// A container on networks `a`, `b` and `c`, in that order.
    fn on_three(name: &str, family: &str) -> Result<Self, Wrong> {
        let machine = Self::with(name, "blue")?;
        for (number, network) in ["a", "b", "c"].iter().enumerate() {
            let subnets = format!("172.26.{number}.0/24,fd26:{number}::/64");
            machine.ok(&format!("create {network} --subnet {subnets} {family}"))?;
            machine.ok(&format!("connect {network} blue"))?;
        }
        Ok(machine)
    }

    /// The routers by which a namespace reaches the rest of the world.
    fn ways_out(&self, namespace: &str) -> Result<[String; 2], Wrong> {
        let by = |destination: &str| -> Result<String, Wrong> {
            let route = self.sh(&format!("ip -n {namespace} route get {destination} 2>/dev/null || true"))?;
            let mut words = route.split_whitespace().skip_while(|word| *word != "via");
            Ok(words.nth(1).unwrap_or("none").to_owned())
        };
        Ok([by("198.51.100.1")?, by("2001:db8::1")?])
    }
}

#[test]
fn the_first_network_is_the_way_out_and_when_it_is_left_the_next_is() -> Test {
    let machine = Machine::on_three("order", "")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    machine.ok("disconnect a blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.1.1", "fd26:1::1"]);
    // One that comes back is the last.
    machine.ok("connect a blue")?;
    assert_eq!(machine.ways_out("blue")?[0], "172.26.1.1");
    machine.ok("disconnect b blue")?;
    assert_eq!(machine.ways_out("blue")?[0], "172.26.2.1");
    machine.ok("disconnect c blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    machine.ok("disconnect a blue")?;
    assert_eq!(machine.ways_out("blue")?, ["none", "none"]);
    Ok(())
}

#[test]
fn leaving_one_that_is_not_the_way_out_changes_nothing() -> Test {
    let machine = Machine::on_three("others", "")?;
    machine.ok("disconnect b blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    machine.ok("disconnect c blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    Ok(())
}

#[test]
fn the_order_of_names_and_of_interfaces_decides_nothing() -> Test {
    let machine = Machine::with("names", "blue")?;
    machine.ok("create zebra --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("create aardvark --subnet 172.26.1.0/24,fd26:1::/64")?;
    machine.ok("connect zebra blue --ifname eth9")?;
    machine.ok("connect aardvark blue --ifname eth0")?;
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    Ok(())
}

#[test]
fn each_family_has_a_way_out_of_its_own() -> Test {
    let machine = Machine::with("families", "blue")?;
    machine.ok("create four --subnet 172.26.0.0/24")?;
    machine.ok("create six --subnet fd26::/64 --ipv4=false")?;
    machine.ok("create both --subnet 172.27.0.0/24,fd27::/64")?;
    for network in ["four", "six", "both"] {
        machine.ok(&format!("connect {network} blue"))?;
    }
    assert_eq!(machine.ways_out("blue")?, ["172.26.0.1", "fd26::1"]);
    machine.ok("disconnect four blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.27.0.1", "fd26::1"]);
    Ok(())
}

#[test]
fn networks_without_a_way_out_take_it_from_nobody() -> Test {
    let machine = Machine::with("inner", "blue")?;
    machine.ok("create inner --internal --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("create quiet --subnet 172.27.0.0/24,fd27::/64 -o no_default_route=true")?;
    machine.ok("create web --subnet 172.28.0.0/24,fd28::/64")?;
    for network in ["inner", "quiet"] {
        machine.ok(&format!("connect {network} blue"))?;
        assert_eq!(machine.ways_out("blue")?, ["none", "none"], "{network}");
    }
    machine.ok("connect web blue")?;
    assert_eq!(machine.ways_out("blue")?, ["172.28.0.1", "fd28::1"]);
    Ok(())
}
