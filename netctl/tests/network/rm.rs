//! `netctl rm`

use lab::{Except, Place, Topic};
use serde_json::json;

use crate::{Machine, Test, netctl};

#[test]
fn the_names_of_those_that_are_gone_are_printed() -> Test {
    let machine = Machine::new("names")?;
    for name in ["a", "b", "c", "d", "e"] {
        machine.ok(&format!("create {name}"))?;
    }
    assert_eq!(machine.quietly("rm a b")?, "a\nb\n");
    assert_eq!(machine.quietly("network remove c")?, "c\n");
    assert_eq!(machine.json("rm d -o json")?, json!(["d"]));
    // By an id, it is the name all the same.
    let id = machine.ok("ls -q -f name=^e$")?;
    assert_eq!(machine.quietly(&format!("rm {}", id.trim()))?, "e\n");
    assert_eq!(machine.sh("ls /etc/cni/net.d")?, "");
    Ok(())
}

#[test]
fn nothing_is_left_of_a_network_that_somebody_was_on() -> Test {
    let machine = Machine::with("nothing", "blue green")?;
    machine.sh("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")?;
    let before = machine.snapshot()?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64 --isolate --label a=b")?;
    machine.ok("connect web blue -p 8080:80 -p 5353:53/udp --alias www")?;
    machine.ok("connect web blue --ifname eth1")?;
    machine.ok("connect web green -p 80")?;
    machine.ok("rm -f web")?;
    machine.is_as_it_was(&before)?;
    assert_eq!(machine.sh("ip -n blue -br link; ip -n green -br link")?.lines().count(), 2);
    assert_eq!(
        machine.sh(
            "ls /var/lib/cni/networks /var/lib/cni/results /run/netctl/ipam 2>/dev/null | grep web || true"
        )?,
        ""
    );
    Ok(())
}

#[test]
fn nothing_is_left_of_a_network_that_nobody_was_on() -> Test {
    let machine = Machine::new("unused")?;
    let before = machine.snapshot()?;
    machine.ok("create web --ipv6 --internal --isolate")?;
    machine.ok("rm web")?;
    machine.is_as_it_was(&before)
}

#[test]
fn a_network_in_use_is_not_removed_and_it_is_told_who_is_on_it() -> Test {
    let machine = Machine::with("use", "blue green pod")?;
    machine.ok("create web --subnet 172.26.0.0/24,fd26::/64")?;
    machine.ok("create db")?;
    machine.ok("connect web blue")?;
    machine.ok("connect web green --ifname net0")?;
    machine.ok("cni add web pod --container-id 0c2c61d2e1bd --args IgnoreUnknown=1;K8S_POD_NAME=cart")?;
    let before = machine.snapshot()?;
    let said = "error: network web is in use by cart (eth0, 172.26.0.4, fd26::4), blue (eth0, 172.26.0.2, fd26::2), \
        green (net0, 172.26.0.3, fd26::3)\n\
        hint: `netctl disconnect web cart`, or `netctl rm -f web` for all of them\n";
    machine.refuses("rm web", said);
    machine.is_as_it_was(&before)?;
    // The others are removed all the same.
    let outcome = machine.netctl("rm web db");
    assert_eq!((outcome.code(), outcome.stderr(), outcome.stdout()), (Some(1), said, "db\n"));
    let outcome = machine.netctl("rm -j web nobody");
    assert_eq!((outcome.code(), outcome.stdout()), (Some(1), "[]\n"));
    machine.ok("disconnect web cart")?;
    assert!(machine.netctl("rm web").stderr().starts_with("error: network web is in use by blue ("));
    assert_eq!(machine.quietly("rm -f web")?, "web\n");
    for name in ["blue", "green", "pod"] {
        assert_eq!(machine.sh(&format!("ip -n {name} -br link"))?.lines().count(), 1, "{name}");
    }
    Ok(())
}

#[test]
fn those_whose_namespace_is_gone_are_in_nobody_s_way() -> Test {
    let machine = Machine::with("stale", "blue green")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue -p 8080:80")?;
    machine.ok("connect web green")?;
    machine.sh("ip netns delete blue; ip -n green link delete eth0")?;
    assert_eq!(machine.quietly("rm web")?, "web\n");
    assert_eq!(machine.sh("ls /var/lib/cni/results; nft list table inet netctl | grep web || true")?, "");
    assert!(!machine.has_link("web"));
    Ok(())
}

#[test]
fn predefined_networks_cannot_be_removed() -> Test {
    let machine = Machine::with("predefined", "blue")?;
    machine.ok("connect bridge blue")?;
    for words in ["rm bridge host none", "rm -f bridge host none", "rm 17f29b073143 4740ae 140bed"] {
        let said = "error: network bridge is predefined and cannot be removed\n\
            error: network host is predefined and cannot be removed\n\
            error: network none is predefined and cannot be removed\n";
        machine.refuses(words, said);
    }
    assert!(machine.has_link("bridge"));
    // A file that stands for one of them is a file.
    let plugin =
        json!({"type": "bridge", "bridge": "br7", "ipam": {"type": "host-local", "subnet": "10.7.0.0/24"}});
    machine
        .has_file("10-none.conflist", &json!({"cniVersion": "1.0.0", "name": "none", "plugins": [plugin]}))?;
    assert_eq!(machine.quietly("rm none")?, "none\n");
    assert_eq!(machine.inspect("none")?["Driver"], "null");
    Ok(())
}

#[test]
fn a_network_that_is_not_there_is_an_error_unless_it_does_not_matter() -> Test {
    let machine = Machine::new("twice")?;
    machine.ok("create web")?;
    let ls = "hint: `netctl ls` shows which there are\n";
    let outcome = machine.netctl("rm web web");
    let said = format!("error: network \"web\" not found\n{ls}");
    assert_eq!((outcome.code(), outcome.stdout(), outcome.stderr()), (Some(1), "web\n", said.as_str()));
    machine.refuses("rm web", &said);
    assert_eq!(machine.quietly("rm -f web")?, "");
    assert_eq!(machine.quietly("rm --force web xyz -o json")?, "[]\n");
    machine.misunderstands("rm", "error: the following required arguments were not provided:");
    machine.ok("create frontend")?;
    machine.refuses("rm frontedn", "error: network \"frontedn\" not found\nhint: did you mean frontend?\n");
    // What begins several ids is no name that could be left out.
    let said = "error: \"1\" begins the ids of several networks: bridge, frontend, none\nhint: give more digits, or the name\n";
    machine.refuses("rm -f 1", said);
    Ok(())
}

#[test]
fn networks_of_others_are_removed_with_what_they_have() -> Test {
    let machine = Machine::with("others", "blue green")?;
    machine.has_others()?;
    machine.ok("connect podman1 blue -p 8080:80")?;
    machine.ok("connect nerd green")?;
    assert!(machine.netctl("rm podman1").stderr().starts_with("error: network podman1 is in use by blue ("));
    assert_eq!(machine.quietly("rm -f podman1 nerd lo")?, "podman1\nnerd\nlo\n");
    assert_eq!(machine.sh("ls /etc/cni/net.d")?, "10-calico.conflist\n10-flannel.conflist\n");
    assert_eq!(machine.sh("ls /var/lib/cni/results; ls /var/lib/cni/networks")?, "");
    assert!(!machine.has_link("cni-podman1") && !machine.has_link("br-17f29b073143"));
    Ok(())
}

#[test]
fn a_bridge_that_somebody_else_made_stays() -> Test {
    let machine = Machine::with("bridge", "blue")?;
    machine.sh("ip link add br7 type bridge; ip addr add 10.7.0.1/24 dev br7; ip link set br7 up")?;
    let before = machine.snapshot()?;
    machine.ok("create web -o bridge.name=br7 --subnet 10.7.0.0/24")?;
    machine.ok("connect web blue")?;
    assert_eq!(machine.sh("ls /sys/class/net/br7/brif | wc -l")?, "1\n");
    machine.ok("rm -f web")?;
    let lines = before.left_behind(
        &machine.0,
        &[
            Except::Topic(Topic::Nftables),
            Except::Topic(Topic::Iptables),
            Except::Topic(Topic::File),
            Except::Topic(Topic::Sysctl),
            Except::Topic(Topic::Route),
        ],
    )?;
    assert_eq!(lines, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_somebody_took_by_hand_is_missed_by_nobody() -> Test {
    let machine = Machine::with("by-hand", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue -p 8080:80")?;
    machine.sh("ip link delete web; nft flush ruleset; rm -r /run/netctl /var/lib/cni/networks/web")?;
    assert_eq!(machine.quietly("rm -f web")?, "web\n");
    assert_eq!(
        machine.sh("ls /var/lib/cni/results /etc/cni/net.d; ip -br link | grep veth || true")?.trim(),
        "/etc/cni/net.d:\n\n/var/lib/cni/results:"
    );
    Ok(())
}

#[test]
fn what_fails_half_way_has_a_name_to_be_repeated_by() -> Test {
    let machine = Machine::with("half-way", "blue")?;
    machine.ok("create web --subnet 172.26.0.0/24")?;
    machine.ok("connect web blue")?;
    machine.sh("cd /var/lib/cni/networks; mv web kept; echo torn >web")?;
    let outcome = machine.netctl("rm -f web");
    assert_eq!((outcome.code(), outcome.stdout()), (Some(1), ""), "{outcome}");
    assert!(outcome.stderr().contains("/var/lib/cni/networks/web"), "{outcome}");
    assert_eq!(machine.ok("ls -q -f name=web")?.lines().count(), 1);
    machine.sh("cd /var/lib/cni/networks; rm web; mv kept web")?;
    assert_eq!(machine.quietly("rm -f web")?, "web\n");
    assert_eq!(
        machine
            .sh("ls /var/lib/cni/results /etc/cni/net.d /var/lib/cni/networks | grep -v : || true")?
            .trim(),
        ""
    );
    Ok(())
}

#[test]
fn a_file_that_cannot_be_removed_is_told_and_can_be_later() -> Test {
    let machine = Machine::new("readonly")?;
    machine.ok("create web")?;
    machine.sh("mount --bind /etc/cni/net.d /etc/cni/net.d; mount -o remount,ro,bind /etc/cni/net.d")?;
    machine.refuses(
        "rm web",
        "error: remove /etc/cni/net.d/netctl-web.conflist\n  because: Read-only file system (os error 30)\n",
    );
    machine.sh("umount /etc/cni/net.d")?;
    assert_eq!(machine.quietly("rm web")?, "web\n");
    Ok(())
}

#[test]
fn a_driver_that_is_not_installed_any_more_is_told() -> Test {
    let (machine, _outside) = Machine::behind("driver", 1500)?;
    machine.0.write_file(
        "/opt/cni/bin/macvlan",
        "#!/bin/sh\necho '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'",
    )?;
    machine.sh("chmod +x /opt/cni/bin/macvlan")?;
    machine.ok("create lan -d macvlan --subnet 10.99.0.0/24")?;
    machine.sh("rm /opt/cni/bin/macvlan")?;
    // Nobody is on it: there is nothing for the plugin to do.
    assert_eq!(machine.quietly("rm lan")?, "lan\n");
    netctl("ls -q").run(&machine.0).ok()?;
    Ok(())
}
