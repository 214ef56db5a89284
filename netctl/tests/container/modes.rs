//! Each network mode, from inside and from outside.

use crate::{Machine, Test, serve};

#[test]
fn on_the_bridge_a_container_has_an_address_and_a_way_out() -> Test {
    let machine = Machine::with_image("bridge")?;
    machine.ok("netctl run -d --name b1 box sleep 100; netctl run -d --name b2 box sleep 100")?;
    let of = |name: &str, field: &str| {
        machine.ok(&format!("netctl container inspect -f '{{{{.NetworkSettings.{field}}}}}' {name}"))
    };
    let (one, gateway) = (of("b1", "IPAddress")?.trim().to_owned(), of("b1", "Gateway")?.trim().to_owned());
    assert_eq!((one.as_str(), gateway.as_str()), ("172.17.0.2", "172.17.0.1"));
    let inside = machine.ok("netctl exec b1 ip -4 addr show eth0; netctl exec b1 ip route")?;
    assert!(
        inside.contains("172.17.0.2/16") && inside.contains("default via 172.17.0.1 dev eth0"),
        "{inside}"
    );
    // From the host, and from the other.
    machine.ok(&format!("ping -c1 -W5 {one}"))?;
    machine.ok(&format!("netctl exec -d b1 {}", serve(80)))?;
    let page = "for try in 1 2 3 4 5 6 7 8 9; do netctl exec b2 nc 172.17.0.2 80 < /dev/null && break; sleep 0.2; done";
    assert_eq!(machine.ok(page)?, "hello\n");
    // Other programs find the namespace by its path.
    let path = of("b1", "SandboxKey")?;
    assert!(machine.ok(&format!("nsenter --net={} ip -br addr", path.trim()))?.contains("172.17.0.2"));
    machine.ok("netctl container rm -f b1 b2")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn on_the_host_s_network_a_container_sees_and_binds_what_the_host_has() -> Test {
    let machine = Machine::with_image("host")?;
    machine.ok("ip addr add 10.9.8.7/32 dev lo; echo '10.9.8.7 myself' >> /etc/hosts")?;
    let inside = machine.ok("netctl run --rm --network host box ip -4 addr show lo; netctl run --rm --network host box hostname; netctl run --rm --network host box cat /etc/hosts")?;
    assert!(inside.contains("10.9.8.7/32") && inside.contains("10.9.8.7 myself"), "{inside}");
    assert!(inside.lines().any(|line| line == "host"), "{inside}");
    machine.ok(&format!("netctl run -d --name one --network host box {}", serve(8080)))?;
    let outside = machine.until("busybox nc 10.9.8.7 8080 < /dev/null")?;
    assert_eq!(outside, "hello\n");
    // Its names are its own, as Docker has it, when it is given one.
    assert_eq!(
        machine.ok("netctl run --rm --network host -h other box hostname; hostname")?,
        "other\nhost\n"
    );
    Ok(())
}

#[test]
fn without_a_network_there_is_lo_and_nothing_else() -> Test {
    let machine = Machine::with_image("none")?;
    let inside = machine.ok("netctl run --rm --network none box sh -c 'ls /sys/class/net; ip route; ip -4 addr show lo | grep -o 127.0.0.1/8; nc -l -p 5 -e echo self & sleep 0.3; nc 127.0.0.1 5 < /dev/null'")?;
    assert_eq!(inside, "lo\n127.0.0.1/8\nself\n");
    Ok(())
}

#[test]
fn in_another_container_s_network_a_container_is_that_host() -> Test {
    let machine = Machine::with_image("shared")?;
    machine.ok(&format!("netctl run -d --name b1 -h www box {}", serve(1232)))?;
    let second = "netctl run --rm --network container:b1 box";
    assert_eq!(machine.until(&format!("{second} nc 127.0.0.1 1232 < /dev/null"))?, "hello\n");
    let same = "sh -c 'hostname; ip -4 addr show eth0 | grep -o 172[.0-9]*/16; cat /etc/hosts /etc/hostname /etc/resolv.conf; for kind in net uts ipc; do readlink /proc/self/ns/$kind; done'";
    assert_eq!(machine.ok(&format!("{second} {same}"))?, machine.ok(&format!("netctl exec b1 {same}"))?);
    // Processes and files are its own.
    let apart = machine
        .ok(&format!("{second} sh -c 'ps | grep -c nc; touch /x'; netctl exec b1 ls /x 2>&1 || true"))?;
    assert!(apart.contains("/x: No such file or directory"), "{apart}");
    // Joining one that does not run says so, and so does removing one in whose network another lives.
    machine.ok("netctl run -d --name b2 --network container:b1 box sleep 100")?;
    let said = machine.ends(1, "netctl container rm -f b1");
    assert_eq!(
        said,
        "error: remove container b1: container b2 in its network\nhint: remove container b2 first\n"
    );
    assert_eq!(machine.ok("netctl ps --format '{{.Names}}' | sort")?, "b1\nb2\n");
    machine.ok("netctl stop -t 0 b1")?;
    let said = machine.ends(125, "netctl run --rm --network container:b1 box true");
    assert!(
        said.contains(
            "--network container:b1: container b1 is not running\nhint: `netctl start b1` starts it\n"
        ),
        "{said}"
    );
    let said = machine.ends(125, "netctl run --rm --network container:b9 box true");
    assert!(said.starts_with("error: no such container: b9\n"), "{said}");
    // When the first has ended, its address is another one's: the second must not have it any more.
    let left = machine.ok("netctl exec b2 ls /sys/class/net; netctl run --rm box ip -4 addr show eth0 | grep -o '172[.0-9]*/16'")?;
    assert_eq!(left, "lo\n172.17.0.2/16\n");
    machine.ok("netctl container rm -f b1 b2")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_network_that_was_made_is_joined_with_what_is_asked_of_it() -> Test {
    let machine = Machine::with_image("named")?;
    machine.ok("netctl create mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.1")?;
    let inside = machine.ok("netctl run --rm --network mybr0:ip=172.26.0.9,mac=02:42:ac:1a:00:09,interface=lan0 box ip addr show lan0")?;
    assert!(inside.contains("172.26.0.9/16") && inside.contains("02:42:ac:1a:00:09"), "{inside}");
    let inside = machine.ok("netctl run --rm --network mybr0 --ip 172.26.0.8 --mac-address 02:42:ac:1a:00:08 box ip addr show eth0")?;
    assert!(inside.contains("172.26.0.8/16") && inside.contains("02:42:ac:1a:00:08"), "{inside}");
    machine.ok("netctl run -d --name one --network mybr0 --network-alias web box sleep 100 2>/dev/null")?;
    let network = machine.json("netctl inspect mybr0")?;
    let names: Vec<_> = network[0]["Containers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, one)| one["Name"].clone())
        .collect();
    assert_eq!(names, ["one"]);
    let said = machine.ends(1, "netctl rm mybr0");
    assert!(said.contains("one"), "{said}");
    let said = machine.ends(125, "netctl run --rm --network mybr9 box true");
    assert!(said.contains("network \"mybr9\" not found\nhint: did you mean mybr0?\n"), "{said}");
    Ok(())
}

#[test]
fn of_several_networks_the_first_is_the_way_out() -> Test {
    let machine = Machine::with_image("several")?;
    machine.ok("netctl create aa --subnet 172.26.0.0/16; netctl create bb --subnet 172.27.0.0/16")?;
    let inside = machine.ok("netctl run --rm --network bb --network aa --network bridge box sh -c 'ls /sys/class/net; ip route; cat /etc/hosts'")?;
    assert!(inside.starts_with("eth0\neth1\neth2\nlo\n"), "{inside}");
    assert!(inside.contains("default via 172.27.0.1 dev eth0"), "{inside}");
    for subnet in ["172.27.0.2\t", "172.26.0.2\t", "172.17.0.2\t"] {
        assert!(inside.contains(subnet), "{subnet}: {inside}");
    }
    // What fails with the second takes back the first.
    let said = machine.ends(125, "netctl run --rm --network aa --network bb:ip=10.0.0.1 box true");
    assert!(said.contains("10.0.0.1"), "{said}");
    let said = machine.ends(125, "netctl run --rm --network aa --network aa box true");
    assert!(said.contains("--network aa is given twice"), "{said}");
    machine.ok("netctl rm aa bb")?;
    assert_eq!(machine.left()?, "nothing\n");
    Ok(())
}

#[test]
fn a_namespace_that_somebody_made_is_entered_and_left_as_it_is() -> Test {
    let machine = Machine::with_image("namespace")?;
    machine.ok("ip netns add blue; netctl connect bridge blue")?;
    let inside = machine.ok("netctl run --rm --network ns:blue box ip -4 addr show eth0; netctl run --rm --network ns:/run/netns/blue box ls /sys/class/net")?;
    assert!(inside.contains("172.17.0.2/16") && inside.ends_with("eth0\nlo\n"), "{inside}");
    assert!(machine.ok("ip -n blue -br addr")?.contains("172.17.0.2"));
    let said = machine.ends(125, "netctl run --rm --network ns:red box true");
    assert!(said.contains("open namespace /run/netns/red"), "{said}");
    Ok(())
}

#[test]
fn daemon_json_says_what_the_bridge_is_like() -> Test {
    let machine = Machine::with_image("daemon")?;
    machine.ok(r#"mkdir -p /etc/netctl; echo '{"bip": "10.20.0.1/24", "fixed-cidr": "10.20.0.128/25", "mtu": 1400, "dns": ["10.20.0.53"], "dns-search": ["example.net"]}' > /etc/netctl/daemon.json"#)?;
    let inside =
        machine.ok("netctl run --rm box sh -c 'ip addr show eth0; ip route; cat /etc/resolv.conf'")?;
    for wanted in
        ["10.20.0.128/24", "mtu 1400", "default via 10.20.0.1", "nameserver 10.20.0.53", "search example.net"]
    {
        assert!(inside.contains(wanted), "{wanted}: {inside}");
    }
    Ok(())
}
