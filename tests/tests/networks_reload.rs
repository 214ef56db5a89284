//! What somebody took of named networks is noticed by CHECK and put back by `netctl reload`; after a reboot there are the
//! networks again, and of their containers nothing is left.

use lab::traffic::{Transport, ask, serve};
use lab::{Background, Host, Neighbour, Place};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tests::facts::{addresses, links, pings, ports, routes};
use tests::{Container, Stage, Surprise, Test};

const WITHIN: Duration = Duration::from_secs(5);
/// What is published, on a host that everybody reaches.
const PORTS: &str = "-p 8080:80 -p 8080:80/udp";
const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Udp];

type Wrong = Box<dyn std::error::Error>;

/// `web` and `near` on network mybr0, `far` on network bridge; `web` and `far` publish a port.
struct Scene {
    stage: Stage,
    outside: Neighbour,
    web: Container,
    near: Container,
    far: Container,
    _servers: Vec<Background>,
}

const ROWS: [&str; 4] = ["mybr0", "bridge/far/eth0", "mybr0/near/eth0", "mybr0/web/eth0"];

impl Scene {
    fn new() -> Result<Self, Wrong> {
        let stage = Stage::new("reload")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        stage.typed("create mybr0 --ipv6 --subnet 172.26.0.0/24,fd00:26::/64")?;
        let [web, near, far] = [stage.container("web")?, stage.container("near")?, stage.container("far")?];
        stage.typed(&format!("connect mybr0 web {PORTS}"))?;
        stage.typed("connect mybr0 near")?;
        stage.typed("connect bridge far -p 8081:80 -p 8081:80/udp")?;
        let mut servers = Vec::new();
        for transport in BOTH {
            for place in [&web, &far] {
                servers.push(serve(place, transport, "[::]:80".parse()?)?);
            }
            servers.push(serve(&outside, transport, "[::]:7000".parse()?)?);
        }
        Ok(Self { stage, outside, web, near, far, _servers: servers })
    }

    /// Everything that a network is for, by first packets.
    fn assert_works(&self, context: &str) -> Test {
        let host = self.stage.host();
        assert_seen(&self.near, "172.26.0.2:80", "172.26.0.3", context)?;
        assert_seen(&self.near, "[fd00:26::2]:80", "fd00:26::3", context)?;
        assert_seen(&self.outside, "10.99.0.1:8080", "10.99.0.2", context)?;
        assert_seen(&self.outside, "[fd99::1]:8080", "fd99::2", context)?;
        assert_seen(&self.outside, "10.99.0.1:8081", "10.99.0.2", context)?;
        assert_seen(host, "127.0.0.1:8080", "172.26.0.1", context)?;
        // By its own published port, a container reaches itself.
        assert_seen(&self.web, "10.99.0.1:8080", "172.26.0.1", context)?;
        assert_seen(&self.web, "10.99.0.2:7000", "10.99.0.1", context)?;
        assert_seen(&self.web, "[fd99::2]:7000", "fd99::1", context)?;
        assert_seen(&self.far, "172.26.0.2:80", "172.26.0.1", context)?;
        assert!(pings(&self.web, "172.26.0.1") && pings(&self.web, "fd00:26::1"), "{context}");
        Ok(())
    }

    /// Who is not as ADD made him, as CHECK says of those on mybr0.
    fn complaints(&self) -> Result<Vec<&'static str>, Wrong> {
        let mut complaints = Vec::new();
        for name in ["near", "web"] {
            let outcome = self.stage.netctl(&format!("cni check mybr0 {name} --container-id {name}"))?;
            if !outcome.succeeded() {
                assert_eq!(outcome.code(), Some(1), "{outcome}");
                complaints.push(name);
            }
        }
        Ok(complaints)
    }

    /// Reloads; those of [`ROWS`] that were put back, when all others were as they were.
    fn reload(&self, context: &str) -> Result<BTreeSet<&'static str>, Wrong> {
        let said = self.stage.typed("reload")?;
        let mut restored = BTreeSet::new();
        let mut expected = String::new();
        for row in ROWS {
            let is_restored = said.lines().any(|line| line == format!("{row}: put back"));
            expected += &format!("{row}: {}\n", if is_restored { "put back" } else { "as it was" });
            restored.extend(is_restored.then_some(row));
        }
        assert_eq!(said, expected, "{context}");
        Ok(restored)
    }

    fn damage(&self, script: &str) -> Test {
        let inspected: Value = serde_json::from_str(&self.stage.typed("inspect mybr0")?)?;
        let port = tests::facts::plain(&inspected[0]["Containers"]["web"]["HostInterface"]);
        self.stage.host().sh(&format!("PORT={port}\n{script}")).ok()?;
        Ok(())
    }
}

#[track_caller]
fn assert_seen(from: &impl Place, address: &str, expected: &str, context: &str) -> Test {
    for transport in BOTH {
        let seen = ask(from, transport, address.parse()?, WITHIN);
        let seen = seen.map_err(|error| Surprise::new(format!("{context}: {address}"), error))?;
        assert_eq!(seen.ip().to_string(), expected, "{context}: {address}");
    }
    Ok(())
}

/// What is done to the host; what is put back then; of whom on mybr0 CHECK notices: that the host forwards is no part of an
/// attachment.
type Damage = (&'static str, &'static [&'static str], &'static [&'static str]);

const WEB: &str = "mybr0/web/eth0";
const NEAR: &str = "mybr0/near/eth0";
const FAR: &str = "bridge/far/eth0";

const DAMAGES: [Damage; 14] = [
    ("nft flush ruleset", &[WEB, NEAR, FAR], &["near", "web"]),
    ("nft delete table inet netctl", &[WEB, NEAR, FAR], &["near", "web"]),
    ("ip link delete mybr0", &["mybr0", WEB, NEAR], &["near", "web"]),
    ("ip link set mybr0 down", &["mybr0"], &["near", "web"]),
    ("ip addr flush dev mybr0", &["mybr0"], &["near", "web"]),
    ("ip -4 addr flush dev mybr0", &["mybr0"], &["near", "web"]),
    ("ip link set $PORT nomaster", &[WEB], &["web"]),
    ("ip link set $PORT down", &[WEB], &["web"]),
    ("bridge link set dev $PORT hairpin off", &[WEB], &["web"]),
    ("echo 0 >/proc/sys/net/ipv4/conf/mybr0/route_localnet", &[WEB], &["web"]),
    ("echo 0 >/proc/sys/net/ipv4/ip_forward", &[FAR], &[]),
    ("echo 0 >/proc/sys/net/ipv6/conf/all/forwarding", &[NEAR], &[]),
    ("ip link delete bridge", &[FAR], &[]),
    (
        "ip link delete mybr0; nft flush ruleset; echo 0 >/proc/sys/net/ipv4/ip_forward
      echo 0 >/proc/sys/net/ipv6/conf/all/forwarding; ip link delete bridge",
        &ROWS,
        &["near", "web"],
    ),
];

#[test]
fn everything_that_somebody_took_comes_back_and_works() -> Test {
    let scene = Scene::new()?;
    scene.assert_works("before")?;
    assert_eq!(scene.complaints()?, [""; 0]);
    assert_eq!(scene.reload("before")?, BTreeSet::new());
    for (script, expected, noticed) in DAMAGES {
        scene.damage(script)?;
        assert_eq!(scene.complaints()?, noticed, "{script}");
        assert_eq!(scene.reload(script)?, expected.iter().copied().collect(), "{script}");
        scene.assert_works(script)?;
        assert_eq!(scene.complaints()?, [""; 0], "{script}");
        assert_eq!(scene.reload(script)?, BTreeSet::new(), "{script}");
    }
    Ok(())
}

#[test]
fn what_is_reloaded_is_removed_without_a_trace() -> Test {
    let scene = Scene::new()?;
    let links_before = links(scene.stage.host())?.len();
    for (script, _, _) in DAMAGES {
        scene.damage(script)?;
        scene.stage.typed("reload")?;
    }
    assert_eq!(links(scene.stage.host())?.len(), links_before);
    for (network, name) in [("bridge", "far"), ("mybr0", "near"), ("mybr0", "web")] {
        scene.stage.typed(&format!("disconnect {network} {name}"))?;
    }
    scene.stage.typed("rm mybr0")?;
    assert_eq!(links(scene.stage.host())?, ["lo", "uplink"]);
    assert_nothing_is_kept(scene.stage.host())
}

#[test]
fn networks_that_are_damaged_are_removed_without_reload() -> Test {
    for (script, _, _) in DAMAGES {
        let scene = Scene::new()?;
        scene.damage(script)?;
        for name in ["web", "near"] {
            scene.stage.typed(&format!("disconnect mybr0 {name}"))?;
        }
        scene.stage.typed("disconnect bridge far")?;
        scene.stage.typed("rm mybr0")?;
        assert_eq!(links(scene.stage.host())?, ["lo", "uplink"], "{script}");
        assert_nothing_is_kept(scene.stage.host())?;
        // And may be made anew.
        scene.stage.typed("create mybr0 --subnet 172.26.0.0/24")?;
        scene.stage.typed("rm mybr0")?;
    }
    Ok(())
}

/// No lease, no result, no network, no rule that names one.
fn assert_nothing_is_kept(host: &Host) -> Test {
    let files = host.sh("find /var/lib/cni /etc/cni -type f -o -type l").ok()?;
    assert_eq!(files, "");
    let notes = host.sh("[ ! -e /run/netctl/firewall ] || find /run/netctl/firewall -type l").ok()?;
    assert_eq!(notes, "");
    let rules = tests::facts::ruleset(host)?;
    for word in ["172.26.0.", "172.17.0.", "fd00:26:", "mybr0", "veth"] {
        assert!(!rules.contains(word), "{word}: {rules}");
    }
    Ok(())
}

/// Another host after a reboot of this one: what is on disk is there, and nothing else.
fn rebooted(before: &Stage) -> Result<(Stage, Neighbour), Wrong> {
    let file = format!("/tmp/reboot.{}.{}.tar", std::process::id(), before.host().pid());
    before.host().run(["tar", "-C", "/", "-cf", &file, "etc/cni", "var/lib/cni"]).ok()?;
    let after = Stage::new("rebooted")?;
    let unpacked = after.host().run(["tar", "-C", "/", "-xf", &file]).ok();
    std::fs::remove_file(&file)?;
    unpacked?;
    let outside = Neighbour::of(after.host(), "outside")?;
    Ok((after, outside))
}

#[test]
fn after_a_reboot_networks_are_there_again_and_containers_are_gone() -> Test {
    let before = Scene::new()?;
    let bridge = addresses(before.stage.host(), "mybr0")?;
    let (stage, outside) = rebooted(&before.stage)?;
    let said = stage.typed("reload")?;
    let expected: [String; 4] =
        std::array::from_fn(|at| format!("{}: {}", ROWS[at], if at == 0 { "put back" } else { "gone" }));
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert!(stage.typed("reload")?.starts_with("mybr0: as it was\n"));
    assert_eq!(addresses(stage.host(), "mybr0")?, bridge);
    assert_eq!(ports(stage.host(), "mybr0")?, [""; 0]);
    // Nobody is on it, and so nobody is in the way.
    let listed: Value = serde_json::from_str(&stage.typed("ls -o json")?)?;
    let counts = listed.as_array().into_iter().flatten().map(|row| row["Containers"].clone());
    assert!(counts.clone().count() == 4 && counts.clone().all(|count| count == 0), "{listed}");
    // Whoever comes has the addresses and the port of those that are gone.
    let web = stage.container("web")?;
    stage.typed(&format!("connect mybr0 web {PORTS}"))?;
    assert_eq!(addresses(&web, "eth0")?, ["172.26.0.4/24", "fd00:26::4/64"]);
    let _server = serve(&web, Transport::Tcp, "[::]:80".parse()?)?;
    let port: SocketAddr = SocketAddr::new(outside.host_v4(), 8080);
    assert_eq!(ask(&outside, Transport::Tcp, port, WITHIN)?.ip(), outside.v4());
    let leases = stage.host().sh("ls /var/lib/cni/networks/mybr0 | grep -c -e ^172 -e ^fd").ok()?;
    assert_eq!(leases, "2\n", "those of the dead went when somebody came");
    assert_eq!(routes(&web)?.iter().filter(|route| route.starts_with("default")).count(), 2);
    stage.typed("disconnect mybr0 web")?;
    stage.typed("rm mybr0")?;
    // Network bridge ends with the last that was on it, be he dead.
    stage.typed("disconnect bridge far")?;
    assert_eq!(links(stage.host())?, ["lo", "uplink"]);
    assert_nothing_is_kept(stage.host())
}

#[test]
fn after_a_reboot_networks_can_be_removed_at_once() -> Test {
    for words in ["rm mybr0", "rm -f mybr0", "prune -f"] {
        let before = Scene::new()?;
        let (stage, _outside) = rebooted(&before.stage)?;
        stage.typed(words)?;
        stage.typed("disconnect bridge far")?;
        assert_eq!(links(stage.host())?, ["lo", "uplink"], "{words}");
        assert_nothing_is_kept(stage.host())?;
    }
    Ok(())
}

/// Waits until so many ports are on the bridge: links vanish a moment after their namespace.
fn await_ports(stage: &Stage, count: usize) -> Test {
    let patience = Instant::now() + WITHIN;
    while ports(stage.host(), "small")?.len() != count {
        assert!(Instant::now() < patience);
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
fn a_network_that_is_full_of_the_dead_has_room() -> Test {
    let stage = Stage::new("full")?;
    stage.typed("create small --subnet 172.26.0.0/29")?;
    let dead = stage.containers("c", 5)?;
    for container in &dead {
        stage.typed(&format!("connect small {} --ifname eth0", container.id()))?;
    }
    stage.container("late")?;
    let refused = stage.netctl("connect small late")?.refused()?;
    assert!(refused.stderr().contains("exhausted"), "{refused}");
    for container in &dead[..4] {
        container.vanish(&stage)?;
    }
    await_ports(&stage, 1)?;
    stage.typed("connect small late")?;
    dead[4].vanish(&stage)?;
    await_ports(&stage, 1)?;
    // An address that a dead container had can be asked for.
    stage.container("next")?;
    stage.typed("connect small next --ip 172.26.0.6")?;
    let leases = stage.host().sh("ls /var/lib/cni/networks/small | grep -c ^172").ok()?;
    assert_eq!(leases, "2\n");
    let results = stage.host().sh("ls /var/lib/cni/results").ok()?;
    assert_eq!(results, "small-late-eth0\nsmall-next-eth0\n");
    Ok(())
}

#[test]
fn who_comes_back_under_the_same_name_keeps_what_he_has() -> Test {
    let stage = Stage::new("again")?;
    for network in ["one", "two"] {
        stage.typed(&format!("create {network}"))?;
        let first = stage.container("web")?;
        stage.typed(&format!("connect {network} web -p 8080:80"))?;
        first.vanish(&stage)?;
    }
    // A container of the same name, on another network, by an interface of the same name.
    let web = stage.container("web")?;
    stage.typed("create three --subnet 172.26.0.0/24")?;
    stage.typed("connect three web -p 8080:80")?;
    for network in ["one", "two"] {
        let refused = stage.netctl(&format!("disconnect {network} web"))?.refused()?;
        assert!(refused.stderr().contains("but to three"), "{refused}");
        stage.typed(&format!("rm {network}"))?;
    }
    assert_eq!(addresses(&web, "eth0")?, ["172.26.0.2/24"]);
    stage.typed("cni check three web --container-id web")?;
    Ok(())
}
