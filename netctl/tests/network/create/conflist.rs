//! The file of a network: what every runtime on the host reads.

use jiff::{SignedDuration, Timestamp};
use lab::Place;
use serde_json::Value;

use crate::{Machine, Test, Wrong};

/// The words, and the file that comes of them, in `golden/`.
const GOLDEN: [(&str, &str); 10] = [
    ("--subnet 172.26.0.0/16", include_str!("../golden/plain.conflist")),
    (
        "--subnet 172.26.0.0/16 --label tier=web --label empty --label sum=1+1=2 \
         -o com.docker.network.bridge.name=br7 -o bridge.enable_icc=false \
         -o com.docker.network.bridge.host_binding_ipv4=127.0.0.1 -o com.docker.network.container_iface_prefix=net \
         -o no_default_route=true -o com.docker.network.bridge.enable_ip_masquerade=false --mtu 1400",
        include_str!("../golden/labels-and-options.conflist"),
    ),
    (
        "--subnet 172.26.0.0/16 --subnet fd26::/64 --gateway fd26::fe --gateway 172.26.0.254",
        include_str!("../golden/dual-stack.conflist"),
    ),
    ("--subnet fd26::/64 --ipv4=false", include_str!("../golden/ipv6.conflist")),
    ("--subnet 172.26.0.0/16 --internal", include_str!("../golden/internal.conflist")),
    (
        "--subnet 172.26.0.0/16 --internal -o bridge.gateway_mode_ipv4=isolated",
        include_str!("../golden/internal-and-isolated.conflist"),
    ),
    ("--subnet 172.26.0.0/16 --isolate", include_str!("../golden/isolate.conflist")),
    (
        "--subnet 172.26.0.0/16 --no-forward -o bridge.gateway_mode_ipv4=routed",
        include_str!("../golden/no-forward-and-routed.conflist"),
    ),
    (
        "--subnet 172.26.0.0/16,fd26::/64 --ip-range 172.26.5.0/24,fd26::8000/113",
        include_str!("../golden/ip-range.conflist"),
    ),
    (
        "--subnet 172.26.0.0/16 --dns 10.20.1.2,fd00::53 --dns-search example.com --dns-search corp \
         --dns-opt ndots:2 --dns-option edns0",
        include_str!("../golden/dns.conflist"),
    ),
];

#[test]
fn the_file_is_what_other_runtimes_expect() -> Test {
    let machine = Machine::new("golden")?;
    for (words, golden) in GOLDEN {
        machine.quietly(&format!("create web {words}"))?;
        let text = machine.read("/etc/cni/net.d/netctl-web.conflist")?;
        let created = created(&text)?;
        assert_eq!(text.replace(&created, "WHEN"), golden, "{words}");
        machine.quietly("rm web")?;
    }
    Ok(())
}

#[test]
fn macvlan_and_ipvlan_are_in_the_network_of_the_host_s_link() -> Test {
    let (machine, _outside) = Machine::behind("macvlan", 1420)?;
    // Whose plugin is another's: any executable that answers VERSION.
    let plugin = r#"#!/bin/sh
        echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}'"#;
    machine.0.write_file("/opt/cni/bin/macvlan", plugin)?;
    machine.sh("chmod +x /opt/cni/bin/macvlan; cp /opt/cni/bin/macvlan /opt/cni/bin/ipvlan")?;
    for (words, golden) in [
        (
            "-d macvlan --subnet 10.99.0.0/24 --ip-range 10.99.0.192/27 -o parent=uplink -o macvlan_mode=bridge",
            include_str!("../golden/macvlan.conflist"),
        ),
        ("-d ipvlan --subnet 10.99.0.0/24 -o mode=l2", include_str!("../golden/ipvlan.conflist")),
    ] {
        machine.quietly(&format!("create web {words}"))?;
        let text = machine.read("/etc/cni/net.d/netctl-web.conflist")?;
        assert_eq!(text.replace(&created(&text)?, "WHEN"), golden, "{words}");
        machine.quietly("rm web")?;
    }
    Ok(())
}

/// When a network says that it was made: just now.
fn created(text: &str) -> Result<String, Wrong> {
    let conflist: Value = serde_json::from_str(text)?;
    let created = conflist["netctl"]["created"].as_str().unwrap_or_default().to_owned();
    let age = Timestamp::now().duration_since(created.parse()?);
    assert!(age < SignedDuration::from_mins(1) && !age.is_negative(), "{created}");
    Ok(created)
}

#[test]
fn the_file_can_be_read_by_everybody_and_written_by_root() -> Test {
    let machine = Machine::new("mode")?;
    machine.sh("rmdir /etc/cni/net.d 2>/dev/null || true; umask 077")?;
    machine.ok("create web")?;
    let modes = machine.sh("stat -c '%a %U %n' /etc/cni/net.d /etc/cni/net.d/*")?;
    assert_eq!(modes, "755 root /etc/cni/net.d\n644 root /etc/cni/net.d/netctl-web.conflist\n");
    Ok(())
}

#[test]
fn versions_are_those_that_all_plugins_speak() -> Test {
    let machine = Machine::new("versions")?;
    let old = r#"#!/bin/sh
        echo '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0","1.0.0"]}'"#;
    for plugin in ["bridge", "portmap", "firewall", "host-local"] {
        machine.0.write_file(format!("/run/old/{plugin}"), old)?;
    }
    machine.sh("chmod +x /run/old/*")?;
    machine.ok("create web --plugin-dir /run/old")?;
    let conflist = machine.conflist("web")?;
    assert_eq!((&conflist["cniVersion"], conflist.get("cniVersions")), (&"1.0.0".into(), None));
    Ok(())
}
