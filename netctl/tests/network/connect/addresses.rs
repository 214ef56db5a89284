//! Addresses that are asked for, and those that nobody can have.

use crate::{Machine, Test};

#[test]
fn addresses_are_given_as_they_are_asked_for() -> Test {
    let machine = Machine::with("asked", "blue green red")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("connect web blue --ip 172.26.0.9 --ip6 fd26::9 --mac 02:00:00:00:00:09 --ifname net0")?;
    let told = machine.sh("ip -n blue addr show net0")?;
    for part in ["link/ether 02:00:00:00:00:09 ", "inet 172.26.0.9/24 ", "inet6 fd26::9/64 "] {
        assert!(told.contains(part), "{told}");
    }
    // One of both families is enough.
    machine.ok("connect web green --ip 172.26.0.77")?;
    assert_eq!(machine.address("green", "eth0")?, "172.26.0.77/24");
    assert!(machine.sh("ip -n green -6 addr show eth0")?.contains("inet6 fd26::"));
    machine.ok("connect web red --ip6 fd26::77 --mac-address 02-00-00-00-00-77")?;
    let told = machine.sh("ip -n red addr show eth0")?;
    assert!(told.contains("fd26::77/64") && told.contains("02:00:00:00:00:77"), "{told}");
    Ok(())
}

#[test]
fn network_bridge_gives_fixed_addresses_too() -> Test {
    let machine = Machine::with("bridge", "blue")?;
    machine.ok("connect bridge blue --ip 172.17.9.9")?;
    assert_eq!(machine.address("blue", "eth0")?, "172.17.9.9/16");
    Ok(())
}

#[test]
fn an_address_that_somebody_has_is_told_with_who_it_is() -> Test {
    let machine = Machine::with("taken", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("connect web blue --ip 172.26.0.9 --ip6 fd26::9")?;
    let before = machine.snapshot()?;
    for (words, address) in [("--ip 172.26.0.9", "172.26.0.9"), ("--ip6 fd26::9", "fd26::9")] {
        let said = format!(
            "error: add green/eth0 to network web\n  because: call plugin \"bridge\"\n  because: call plugin \"host-local\"\n  \
            because: lease requested address {address} of network web: blue/eth0 has it\n"
        );
        machine.refuses(&format!("connect web green {words}"), &said);
    }
    assert_eq!(machine.interfaces("green")?, Vec::<String>::new());
    machine.is_as_it_was(&before)
}

#[test]
fn addresses_that_nobody_can_have_are_refused_with_why() -> Test {
    let machine = Machine::with("unusable", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("create four --subnet 172.27.0.0/24 --ip-range 172.27.0.128/25")?;
    let before = machine.snapshot()?;
    let hint = "\nhint: leave the address away, and a free one is chosen\n";
    for (words, said) in [
        (
            "web --ip 172.27.0.5",
            "address 172.27.0.5 is in none of network web's subnets (172.26.0.0/24, fd26::/64)\n",
        ),
        (
            "web --ip6 fd27::5",
            "address fd27::5 is in none of network web's subnets (172.26.0.0/24, fd26::/64)\n",
        ),
        ("four --ip6 fd26::5", "address fd26::5 is in none of network four's subnets (172.27.0.0/24)\n"),
        (
            "host --ip 10.0.0.1",
            "cannot connect blue to network host: whoever is on it was made in the host's namespace\n",
        ),
        ("none --ip 10.0.0.1", "address 10.0.0.1 is in none of network none's subnets: it has none\n"),
        ("web --ip 172.26.0.1", &format!("address 172.26.0.1 of network web is the gateway's address{hint}")),
        ("web --ip6 fd26::1", &format!("address fd26::1 of network web is the gateway's address{hint}")),
        (
            "web --ip 172.26.0.0",
            &format!("address 172.26.0.0 of network web is the address of the subnet itself{hint}"),
        ),
        (
            "web --ip6 fd26::",
            &format!("address fd26:: of network web is the address of the subnet itself{hint}"),
        ),
        (
            "web --ip 172.26.0.255",
            &format!("address 172.26.0.255 of network web is the subnet's broadcast address{hint}"),
        ),
    ] {
        let (network, words) = words.split_once(' ').unwrap_or_default();
        machine.refuses(&format!("connect {network} blue {words}"), &format!("error: {said}"));
    }
    let outcome = machine.netctl("connect four blue --ip 172.27.0.5");
    assert!(outcome.stderr().contains("172.27.0.128-172.27.0.254"), "{outcome}");
    assert_eq!(outcome.code(), Some(1));
    let outcome = machine.netctl("connect web blue --mac 01:00:00:00:00:01");
    assert!(
        outcome.stderr().contains("because: invalid network configuration: runtimeConfig.mac: "),
        "{outcome}"
    );
    machine.is_as_it_was(&before)
}

#[test]
fn an_exhausted_pool_is_told_as_such_and_an_address_that_is_free_again_is_given() -> Test {
    let machine = Machine::with("exhausted", "a b c")?;
    machine.ok("create web --subnet 172.26.0.0/24 --ip-range 172.26.0.8/31")?;
    machine.ok("connect web a")?;
    machine.ok("connect web b")?;
    let before = machine.snapshot()?;
    let outcome = machine.netctl("connect web c");
    let said = "error: add c/eth0 to network web\n  because: call plugin \"bridge\"\n  because: call plugin \"host-local\"\n";
    assert!(
        outcome.stderr().starts_with(said) && outcome.stderr().contains("172.26.0.8-172.26.0.9"),
        "{outcome}"
    );
    machine.is_as_it_was(&before)?;
    machine.ok("disconnect web a")?;
    machine.ok("connect web c")?;
    assert_eq!(machine.address("c", "eth0")?, "172.26.0.8/24");
    Ok(())
}

#[test]
fn interfaces_are_numbered_in_the_order_of_joining() -> Test {
    let machine = Machine::with("numbered", "blue")?;
    for name in ["a", "b", "c"] {
        machine.ok(&format!("create {name}"))?;
        machine.ok(&format!("connect {name} blue"))?;
    }
    assert_eq!(machine.interfaces("blue")?, ["eth0", "eth1", "eth2"]);
    machine.ok("disconnect b blue")?;
    machine.ok("connect b blue")?;
    assert_eq!(machine.inspect("b")?["Containers"]["blue"]["Interface"], "eth1");
    // Whatever else has a name keeps it.
    machine.sh("ip netns add red; ip -n red link add eth0 type bridge")?;
    machine.ok("connect a red")?;
    assert_eq!(machine.inspect("a")?["Containers"]["red"]["Interface"], "eth1");
    Ok(())
}

#[test]
fn a_network_may_call_its_interfaces_otherwise() -> Test {
    let machine = Machine::with("prefix", "blue")?;
    machine.ok("create web -o com.docker.network.container_iface_prefix=net")?;
    machine.ok("create db")?;
    machine.ok("connect web blue")?;
    machine.ok("connect db blue")?;
    assert_eq!(machine.interfaces("blue")?, ["net0", "eth0"]);
    Ok(())
}

#[test]
fn a_name_that_an_interface_has_is_refused() -> Test {
    let machine = Machine::with("name", "blue")?;
    machine.ok("create web")?;
    machine.sh("ip -n blue link add wan type bridge")?;
    machine.ok("connect web blue")?;
    for name in ["wan", "lo", "eth0"] {
        let said = format!(
            "error: blue has an interface {name} already\n\
            hint: without --ifname the first name of eth0, eth1, … is chosen that is free\n"
        );
        machine.refuses(&format!("connect web blue --ifname {name}"), &said);
        // To take back what was never done would take the interface.
        assert_eq!(machine.interfaces("blue")?, ["wan", "eth0"]);
    }
    assert_eq!(machine.kept()?, "web-blue-eth0\n");
    Ok(())
}

#[test]
fn twice_on_one_network_is_refused_unless_a_second_interface_is_named() -> Test {
    let machine = Machine::with("twice", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue")?;
    let said = "error: blue is connected to network web already: blue (eth0, 172.26.0.2)\n\
        hint: `netctl disconnect web blue` takes it away; --ifname NAME gives it a second interface there\n";
    machine.refuses("connect web blue", said);
    machine.ok("connect web blue --ifname eth1")?;
    assert_eq!(machine.interfaces("blue")?, ["eth0", "eth1"]);
    machine.ok("disconnect web blue --ifname eth0")?;
    assert_eq!(machine.interfaces("blue")?, ["eth1"]);
    Ok(())
}

#[test]
fn a_network_with_two_subnets_of_a_family_gives_an_address_of_each() -> Test {
    let machine = Machine::with("two", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24,172.27.0.0/24")?;
    machine.ok("connect web blue")?;
    let addresses = machine.sh("ip -n blue -br -4 addr show eth0")?;
    assert!(addresses.contains("172.26.0.2/24") && addresses.contains("172.27.0.2/24"), "{addresses}");
    Ok(())
}

#[test]
fn twelve_who_join_at_once_get_twelve_addresses() -> Test {
    let names: Vec<String> = (0..12).map(|number| format!("ns{number}")).collect();
    let machine = Machine::with("at-once", &names.join(" "))?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    std::thread::scope(|scope| {
        let join = |name: &String| {
            let words = format!("connect web {name}");
            let machine = &machine;
            scope.spawn(move || machine.netctl(&words).ok().map(drop).map_err(|error| error.to_string()))
        };
        let joins: Vec<_> = names.iter().map(join).collect();
        joins.into_iter().try_for_each(|join| join.join().unwrap())
    })?;
    let told = machine.inspect("web")?;
    let containers = told["Containers"].as_object().cloned().unwrap_or_default();
    let addresses: std::collections::HashSet<_> =
        containers.values().map(|container| container["IPv4Address"].to_string()).collect();
    assert_eq!(addresses.len(), 12, "{told}");
    Ok(())
}

#[test]
fn two_networks_that_one_container_joins_at_once_get_two_interfaces() -> Test {
    let machine = Machine::with("both", "blue")?;
    machine.ok("create a")?;
    machine.ok("create b")?;
    std::thread::scope(|scope| {
        let join = |name: &'static str| {
            let machine = &machine;
            scope.spawn(move || {
                machine
                    .netctl(&format!("connect {name} blue"))
                    .ok()
                    .map(drop)
                    .map_err(|error| error.to_string())
            })
        };
        ["a", "b"].map(join).into_iter().try_for_each(|join| join.join().unwrap())
    })?;
    let mut interfaces = machine.interfaces("blue")?;
    interfaces.sort();
    assert_eq!(interfaces, ["eth0", "eth1"]);
    Ok(())
}
