//! Networks that change, break or go while containers are on them.

use crate::{Machine, Test};

/// Kills a container's monitor, and waits until the container is gone with it, its interfaces included.
fn lose(machine: &Machine, name: &str) -> Test {
    let of =
        |field: &str| machine.ok(&format!("netctl container inspect -f '{{{{.State.{field}}}}}' {name}"));
    let (monitor, pid) = (of("MonitorPid")?, of("Pid")?);
    machine.ok(&format!("kill -9 {}", monitor.trim()))?;
    machine.until(&format!("[ -e /proc/{}/exe ] || echo gone", pid.trim()))?;
    machine.until("ls /sys/class/net | grep -q veth || echo gone")?;
    Ok(())
}

#[test]
fn networks_that_were_connected_later_are_left_as_well() -> Test {
    let machine = Machine::with_image("connected")?;
    machine.ok("netctl create aa --subnet 172.26.0.0/16; netctl run -d --name one --network aa box sleep 100; netctl connect bridge one")?;
    assert_eq!(machine.ok("netctl exec one ls /sys/class/net")?, "eth0\neth1\nlo\n");
    machine.ok("netctl container rm -f one")?;
    assert_eq!(machine.ok("ls /var/lib/cni/results; ls /sys/class/net | grep -v '^aa$'")?, "lo\n");
    machine.ok("netctl rm aa")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_container_whose_network_was_removed_ends_like_any_other() -> Test {
    let machine = Machine::with_image("orphaned")?;
    machine.ok("netctl create aa --subnet 172.26.0.0/16; netctl run -d --rm --name one --network aa box sleep 100; netctl run -d --name two --network aa box sleep 100; netctl rm -f aa")?;
    machine.ok("netctl kill one; netctl kill two; netctl wait two")?;
    assert_eq!(
        machine.until(
            "netctl ps -a --format '{{.Names}}' | grep -q one || netctl ps -aq --format '{{.Names}}'"
        )?,
        "two\n"
    );
    assert_eq!(machine.inspect("two")?["State"]["Error"], "");
    let said = machine.ends(1, "netctl start two");
    assert!(said.contains("network \"aa\" not found"), "{said}");
    machine.ok("netctl container rm two")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn what_a_killed_monitor_left_is_taken_away_whatever_daemon_json_says_by_now() -> Test {
    let machine = Machine::with_image("spoilt")?;
    machine.ok("mkdir -p /etc/netctl")?;
    for text in [r#"{"bridge": "none"}"#, r#"{"bridge": 7}"#, "{"] {
        machine.ok("netctl run -d --name one -p 111:80 box sleep 100")?;
        lose(&machine, "one")?;
        machine.ok(&format!("echo '{text}' > /etc/netctl/daemon.json"))?;
        assert_eq!(machine.ok("netctl ps -a --format '{{.Names}} {{.State}}'")?, "one exited\n", "{text}");
        machine.ok("netctl container rm one; rm /etc/netctl/daemon.json")?;
        assert_eq!(machine.left()?, "nothing\n", "{text}");
    }
    Ok(())
}

#[test]
fn ports_and_addresses_of_who_was_killed_are_free_for_the_next_at_once() -> Test {
    let machine = Machine::with_image("next")?;
    machine.ok("netctl create aa --subnet 172.26.0.0/16")?;
    for next in ["-p 111:80 --network bridge", "-p 111:80 --network aa", "--network bridge:ip=172.17.0.2"] {
        machine.ok("netctl run -d --name one -p 111:80 box sleep 100")?;
        lose(&machine, "one")?;
        machine.ok(&format!("netctl run --rm {next} box true"))?;
        machine.ok("netctl container rm -f one")?;
    }
    // One that lives is in the way.
    machine.ok("netctl run -d --name one -p 111:80 box sleep 100")?;
    let said = machine.ends(125, "netctl run --rm -p 111:80 box true");
    assert!(said.contains("the host's port 111/tcp is taken by bridge/"), "{said}");
    machine.ok("netctl container rm -f one; netctl rm aa")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn the_host_s_address_is_the_host_s_and_not_the_router_s() -> Test {
    let machine = Machine::with_image("gateway")?;
    machine.ok(r#"mkdir -p /etc/netctl; echo '{"bip": "192.168.1.5/24", "default-gateway": "192.168.1.254"}' > /etc/netctl/daemon.json"#)?;
    let inside = machine.ok(
        "netctl run --rm --add-host gate:host-gateway box sh -c 'grep gate /etc/hosts; ip route; ping -c1 -W5 gate > /dev/null && echo reached'",
    )?;
    assert!(inside.starts_with("192.168.1.5\tgate\n") && inside.ends_with("reached\n"), "{inside}");
    assert!(inside.contains("default via 192.168.1.254"), "{inside}");
    Ok(())
}

#[test]
fn ports_go_to_the_network_that_is_reached_from_outside() -> Test {
    let machine = Machine::with_image("outside")?;
    machine.ok("netctl create aa --internal --subnet 172.26.0.0/16")?;
    let run = "netctl run -d --name one -p 111:80 --network aa";
    let outcome = machine.run(&format!("{run} --network bridge box sleep 100"));
    assert!(outcome.succeeded() && !outcome.stderr().contains("internal"), "{outcome}");
    let ports = |name: &str| machine.ok(&format!("netctl inspect -f '{{{{json .Containers}}}}' {name}"));
    assert!(ports("bridge")?.contains("111") && !ports("aa")?.contains("111"), "{}", ports("bridge")?);
    machine.ok("netctl container rm -f one")?;
    // Where there is no other it is told.
    let outcome = machine.run(&format!("{run} box sleep 100"));
    assert!(outcome.succeeded(), "{outcome}");
    assert_eq!(
        outcome.stderr(),
        "note: network aa is internal: its published ports are reached from this host, and not from outside\n"
    );
    Ok(())
}

#[test]
fn what_is_asked_of_a_network_in_vain_is_refused_before_a_container_is_made() -> Test {
    let machine = Machine::with_image("asked")?;
    for (flags, said) in [
        ("--network aa --network aa", "--network aa is given twice"),
        ("--network bridge --network default", "--network bridge is given twice"),
        ("--network bridge:ip=10.0.0.1,ip=10.0.0.2", "ip is given twice"),
        ("--network bridge:", "nothing follows the colon"),
        ("--network bridge:alias=a/b", "alias=a/b: not a name"),
        ("--network-alias a/b", "--network-alias \"a/b\": expected letters"),
    ] {
        let stderr = machine.ends(125, &format!("netctl container create {flags} box"));
        assert!(stderr.contains(said), "{flags}: {stderr}");
    }
    assert_eq!(machine.ok("netctl ps -aq")?, "");
    Ok(())
}

#[test]
fn what_is_kept_of_others_is_not_read_when_a_container_comes_and_goes() -> Test {
    let machine = Machine::with_image("unread")?;
    // Whoever reads this file fails.
    machine.ok("netctl create aa --subnet 172.26.0.0/16; ip netns add blue; mkdir -p /var/lib/cni/results; ln -s bb-other-eth0 /var/lib/cni/results/bb-other-eth0")?;
    let said = machine.ends(1, "netctl connect aa blue");
    assert!(said.contains("read /var/lib/cni/results/bb-other-eth0"), "{said}");
    machine.ok(
        "netctl run --rm -p 111:80 --network bridge --network aa box true; netctl run --rm -P box true",
    )?;
    machine.ok("netctl run -d --name one -p 111:80 box sleep 100")?;
    lose(&machine, "one")?;
    machine.ok("netctl container rm one; rm /var/lib/cni/results/*; netctl rm aa")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}
