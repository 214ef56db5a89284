//! What passes between the networks that `netctl create` makes, the host and the world outside.
//!
//! The host has an uplink (10.99.0.1, fd99::1) to `outside` (10.99.0.2, fd99::2), which knows the way to the networks: what
//! does not arrive was stopped by the host. What leaves a masqueraded network is seen as the address of the host by which
//! it leaves: between two networks that is the gateway of the one that is asked.

use lab::traffic::{Transport, ask, serve};
use lab::{Background, Neighbour, Place};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tests::facts::{link, pings, plain, routes};
use tests::{Container, Stage, Test};

const WITHIN: Duration = Duration::from_secs(5);
/// What must not arrive is waited for as long.
const IN_VAIN: Duration = Duration::from_millis(250);
const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Udp];
const ICC_OFF: &str = "-o com.docker.network.bridge.enable_icc=false";
const MODE: &str = "-o com.docker.network.bridge.gateway_mode_ipv4";

type Wrong = Box<dyn std::error::Error>;

/// A host with an uplink, and a neighbour that knows the way to every network here.
struct Scene {
    stage: Stage,
    outside: Neighbour,
    servers: Vec<Background>,
}

impl Scene {
    /// With these networks: what is said to `netctl create`, and the subnets of it.
    fn new(networks: &[&str]) -> Result<Self, Wrong> {
        let stage = Stage::new("traffic")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        for subnet in ["172.16.0.0/12", "fd00::/16"] {
            outside.learn(subnet)?;
        }
        for words in networks {
            stage.typed(&format!("create {words}"))?;
        }
        let mut scene = Self { stage, outside, servers: Vec::new() };
        scene.servers.extend(servers(&scene.outside, 7000)?);
        Ok(scene)
    }

    /// A namespace on a network, where everybody is answered on ports 80 and 90: its addresses, IPv4 first.
    fn join(&mut self, network: &str, name: &str, options: &str) -> Result<(Container, Vec<String>), Wrong> {
        let container = self.stage.container(name)?;
        let joined = self.stage.typed(&format!("connect -o json {network} {name} {options}"))?;
        for port in [80, 90] {
            self.servers.extend(servers(&container, port)?);
        }
        let result: Value = serde_json::from_str(&joined)?;
        let mut ips = result["ips"].as_array().cloned().unwrap_or_default();
        ips.sort_by_key(|ip| plain(&ip["address"]).contains(':'));
        let bare = |ip: &Value| plain(&ip["address"]).split('/').next().unwrap_or_default().to_owned();
        Ok((container, ips.iter().map(bare).collect()))
    }

    fn outside(&self, v6: bool) -> String {
        format!("{}", SocketAddr::new(if v6 { self.outside.v6() } else { self.outside.v4() }, 7000))
    }

    fn forward(&self, on: bool) -> Test {
        let value = u8::from(on);
        let script = format!(
            "cd /proc/sys/net; echo {value} >ipv4/ip_forward; echo {value} >ipv6/conf/all/forwarding"
        );
        self.stage.host().sh(&script).ok()?;
        Ok(())
    }
}

fn servers(place: &impl Place, port: u16) -> Result<Vec<Background>, Wrong> {
    let address = SocketAddr::new("::".parse()?, port);
    BOTH.iter().map(|transport| Ok(serve(place, *transport, address)?)).collect()
}

/// The address with a port, as both families write it.
fn at(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// As whom the one who is asked sees who asks, over both protocols alike; nobody, if it is not reached.
#[allow(clippy::panic, reason = "a test that asks at no address fails")]
#[track_caller]
fn seen(from: &impl Place, address: &str, within: Duration) -> Option<String> {
    let socket: SocketAddr = address.parse().unwrap_or_else(|error| panic!("{address}: {error}"));
    let [tcp, udp] = BOTH.map(|transport| {
        let seen = ask(from, transport, socket, within).ok();
        seen.map(|seen| seen.ip().to_string())
    });
    assert_eq!(tcp, udp, "{address}: TCP and UDP differ");
    tcp
}

#[track_caller]
fn assert_seen(from: &impl Place, address: &str, expected: &str) {
    assert_eq!(seen(from, address, WITHIN).as_deref(), Some(expected), "{address}");
}

#[track_caller]
fn assert_unreached(from: &impl Place, address: &str) {
    assert_eq!(seen(from, address, IN_VAIN), None, "{address}");
}

#[test]
fn the_example_of_a_network_beside_bridge_works_as_forwarding_says() -> Test {
    let mut scene = Scene::new(&["mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.1"])?;
    let (b1, one) = scene.join("bridge", "b1", "-p 111:1232 -p 111:1232/udp")?;
    let (b2, two) = scene.join("mybr0", "b2", "")?;
    assert_eq!((&*one[0], &*two[0]), ("172.17.0.2", "172.26.0.2"));
    assert_eq!(
        routes(&b2)?,
        ["default via 172.26.0.1 dev eth0", "172.26.0.0/16 dev eth0 proto kernel scope link src 172.26.0.2"]
    );
    scene.servers.extend(servers(&b1, 1232)?);
    for (is_on, round) in [(true, 1), (false, 2), (true, 3)] {
        if round > 1 {
            scene.forward(is_on)?;
        }
        assert_eq!(pings(&b2, "172.17.0.2"), is_on, "round {round}");
        if is_on {
            assert_seen(&b1, "172.26.0.2:80", "172.26.0.1");
            assert_seen(&b2, "172.17.0.2:80", "172.17.0.1");
        } else {
            assert_unreached(&b1, "172.26.0.2:80");
            assert_unreached(&b2, "172.17.0.2:80");
        }
    }
    for from in [&b1, &b2] {
        assert_seen(from, &scene.outside(false), "10.99.0.1");
    }
    // The published port, by any address of the host, and from the other network.
    assert_seen(&scene.outside, "10.99.0.1:111", "10.99.0.2");
    assert_seen(scene.stage.host(), "127.0.0.1:111", "172.17.0.1");
    assert_seen(&b2, "10.99.0.1:111", "172.17.0.1");
    // And none but that: neither by the host's address, nor by that of the container itself.
    for unpublished in ["10.99.0.1:80", "10.99.0.1:1232", "172.17.0.2:80", "172.17.0.2:1232", "172.26.0.2:80"]
    {
        assert_unreached(&scene.outside, unpublished);
    }
    Ok(())
}

#[test]
fn the_same_goes_for_ipv6() -> Test {
    let mut scene = Scene::new(&[])?;
    let daemon = json!({"ipv6": true, "fixed-cidr-v6": "fd00:17::/64"});
    scene.stage.host().write_file("/etc/netctl/daemon.json", daemon.to_string())?;
    scene.stage.typed("create mybr0 --ipv6 --subnet fd00:26::/64 --gateway fd00:26::1")?;
    let (b1, one) = scene.join("bridge", "b1", "-p 111:1232 -p 111:1232/udp")?;
    let (b2, two) = scene.join("mybr0", "b2", "")?;
    let (one, two) = (&one[1], &two[1]);
    assert!(one.starts_with("fd00:17::") && two.starts_with("fd00:26::"), "{one} {two}");
    scene.servers.extend(servers(&b1, 1232)?);
    for (is_on, round) in [(true, 1), (false, 2), (true, 3)] {
        if round > 1 {
            scene.forward(is_on)?;
        }
        if is_on {
            assert_seen(&b1, &at(two, 80), "fd00:26::1");
            assert_seen(&b2, &at(one, 80), "fd00:17::1");
        } else {
            assert_unreached(&b1, &at(two, 80));
            assert_unreached(&b2, &at(one, 80));
        }
    }
    // The kernel takes the host's own way out when it is told to forward, unless it came by hand.
    for from in [&b1, &b2] {
        assert_seen(from, &scene.outside(true), "fd99::1");
    }
    assert_seen(&scene.outside, "[fd99::1]:111", "fd99::2");
    assert_seen(&b2, "[fd99::1]:111", "fd00:17::1");
    for unpublished in ["[fd99::1]:80".to_owned(), "[fd99::1]:1232".to_owned(), at(one, 1232), at(two, 80)] {
        assert_unreached(&scene.outside, &unpublished);
    }
    Ok(())
}

#[test]
fn of_an_isolated_network_others_reach_published_ports_only() -> Test {
    let isolated = "closed --isolate --ipv6 --subnet 172.26.0.0/16,fd00:26::/64";
    let mut scene = Scene::new(&[isolated, "open --ipv6 --subnet 172.27.0.0/16,fd00:27::/64"])?;
    let (web, web_ips) = scene.join("closed", "web", "-p 8080:80 -p 8080:80/udp")?;
    let (peer, peer_ips) = scene.join("closed", "peer", "")?;
    let (far, far_ips) = scene.join("open", "far", "")?;
    let (old, old_ips) = scene.join("bridge", "old", "")?;
    for family in 0..2 {
        let gateway = ["172.26.0.1", "fd00:26::1"][family];
        assert_unreached(&far, &at(&web_ips[family], 80));
        assert_unreached(&web, &at(&far_ips[family], 80));
        assert_seen(&peer, &at(&web_ips[family], 80), &peer_ips[family]);
        assert_seen(&web, &scene.outside(family == 1), ["10.99.0.1", "fd99::1"][family]);
        assert_seen(&far, &at(["10.99.0.1", "fd99::1"][family], 8080), gateway);
    }
    assert_unreached(&old, &at(&web_ips[0], 80));
    assert_unreached(&web, &at(&old_ips[0], 80));
    // Those two are open to one another.
    assert_seen(&old, &at(&far_ips[0], 80), "172.27.0.1");
    Ok(())
}

#[test]
fn nothing_leaves_an_internal_network_and_nothing_enters() -> Test {
    let internal = "db --internal --ipv6 --subnet 172.26.0.0/16,fd00:26::/64";
    let mut scene = Scene::new(&[internal, "open --ipv6 --subnet 172.27.0.0/16,fd00:27::/64"])?;
    let (db, db_ips) = scene.join("db", "db", "")?;
    let (peer, peer_ips) = scene.join("db", "peer", "")?;
    let (far, far_ips) = scene.join("open", "far", "")?;
    let ways: Vec<String> = routes(&db)?.into_iter().filter(|route| route.starts_with("default")).collect();
    assert_eq!(ways, [""; 0]);
    for family in 0..2 {
        let gateway = ["172.26.0.1", "fd00:26::1"][family];
        assert_seen(&peer, &at(&db_ips[family], 80), &peer_ips[family]);
        assert!(pings(&db, gateway), "{gateway}");
        assert_seen(scene.stage.host(), &at(&db_ips[family], 80), gateway);
        // Not for want of a route: one that somebody in the container makes leads nowhere.
        db.run(["ip", "route", "add", "default", "via", gateway]).ok()?;
        assert_unreached(&db, &scene.outside(family == 1));
        assert_unreached(&db, &at(&far_ips[family], 80));
        assert_unreached(&far, &at(&db_ips[family], 80));
        assert_unreached(&scene.outside, &at(&db_ips[family], 80));
    }
    Ok(())
}

#[test]
fn without_icc_containers_reach_the_gateway_and_the_world_but_not_one_another() -> Test {
    let network = format!("apart --ipv6 --subnet 172.26.0.0/16,fd00:26::/64 {ICC_OFF}");
    let mut scene = Scene::new(&[&network])?;
    let (web, web_ips) = scene.join("apart", "web", "-p 8080:80 -p 8080:80/udp")?;
    let (near, _) = scene.join("apart", "near", "")?;
    for family in 0..2 {
        assert_unreached(&near, &at(&web_ips[family], 80));
        assert!(!pings(&near, &web_ips[family]));
        assert!(pings(&near, ["172.26.0.1", "fd00:26::1"][family]));
        assert_seen(&near, &scene.outside(family == 1), ["10.99.0.1", "fd99::1"][family]);
        assert_seen(
            &scene.outside,
            &at(["10.99.0.1", "fd99::1"][family], 8080),
            ["10.99.0.2", "fd99::2"][family],
        );
    }
    assert!(pings(&web, "172.26.0.1"));
    Ok(())
}

#[test]
fn of_a_routed_network_every_port_is_reached_and_everybody_is_seen_as_himself() -> Test {
    let network = format!("routed --ipv6 --subnet 172.26.0.0/16,fd00:26::/64 {MODE}=routed");
    let mut scene = Scene::new(&[&network])?;
    let (web, ips) = scene.join("routed", "web", "-p 8080:80 -p 8080:80/udp")?;
    for family in 0..2 {
        let own = ["10.99.0.2", "fd99::2"][family];
        for port in [80, 90] {
            assert_seen(&scene.outside, &at(&ips[family], port), own);
        }
        assert_seen(&web, &scene.outside(family == 1), &ips[family]);
        assert_seen(&scene.outside, &at(["10.99.0.1", "fd99::1"][family], 8080), own);
    }
    Ok(())
}

#[test]
fn an_unprotected_network_is_masqueraded_and_reached_on_every_port() -> Test {
    let network = format!("bare --ipv6 --subnet 172.26.0.0/16,fd00:26::/64 {MODE}=nat-unprotected");
    let mut scene = Scene::new(&[&network])?;
    let (web, ips) = scene.join("bare", "web", "")?;
    for family in 0..2 {
        for port in [80, 90] {
            assert_seen(&scene.outside, &at(&ips[family], port), ["10.99.0.2", "fd99::2"][family]);
        }
        assert_seen(&web, &scene.outside(family == 1), ["10.99.0.1", "fd99::1"][family]);
    }
    Ok(())
}

/// Twenty packets of this size that nobody may take apart: how many were answered, and what was said.
fn large_packets(from: &impl Place, to: &str, payload: u32) -> (usize, String) {
    let payload = payload.to_string();
    let outcome = from.run(["ping", "-n", "-M", "do", "-c20", "-i0.01", "-W2", "-s", &payload, to]);
    (outcome.stdout().matches("bytes from").count(), outcome.to_string())
}

#[test]
fn containers_send_no_larger_packets_than_the_uplink_carries() -> Test {
    let mut scene = Scene::new(&[])?;
    scene.stage.host().sh("ip link set uplink mtu 1420").ok()?;
    scene.outside.sh("ip link set eth0 mtu 1420").ok()?;
    let said = scene.stage.netctl("create vpn --ipv6 --subnet 172.26.0.0/16,fd00:26::/64")?;
    assert!(said.stderr().contains("mtu 1420"), "{said}");
    for network in ["vpn", "bridge"] {
        let (web, _) = scene.join(network, &format!("in-{network}"), "")?;
        assert_eq!(link(&web, "eth0")?["mtu"], 1420);
        assert_eq!(link(scene.stage.host(), network)?["mtu"], 1420);
        // 20 bytes of IPv4 or 40 of IPv6, and 8 of ICMP.
        let families = [("10.99.0.2", 1392), ("fd99::2", 1372)];
        let families = if network == "vpn" { &families[..] } else { &families[..1] };
        for (to, fits) in families {
            let (answered, said) = large_packets(&web, to, *fits);
            assert_eq!(answered, 20, "{said}");
            // One byte more is refused where it would be sent, and the sender knows at once.
            let (answered, said) = large_packets(&web, to, fits + 1);
            assert!(answered == 0 && said.to_lowercase().contains("message too long"), "{said}");
        }
        let (answered, said) = large_packets(&web, "10.99.0.2", 56);
        assert_eq!(answered, 20, "{said}");
    }
    Ok(())
}

/// The gateways of a namespace's default routes, the one that is used first.
fn way_out(place: &impl Place, to: &str) -> Result<String, Wrong> {
    let said = place.run(["ip", "-json", "route", "get", to]).ok()?;
    let routes: Value = serde_json::from_str(&said)?;
    Ok(plain(&routes[0]["gateway"]))
}

#[test]
fn the_first_network_is_the_way_out_until_the_container_leaves_it() -> Test {
    let networks =
        ["a --ipv6 --subnet 172.26.0.0/16,fd00:26::/64", "b --ipv6 --subnet 172.27.0.0/16,fd00:27::/64"];
    // Either may be the first: it is not the alphabet that counts.
    for (first, second) in [("a", "b"), ("b", "a")] {
        let mut scene = Scene::new(&networks)?;
        let gateways = |network: &str| match network {
            "a" => ["172.26.0.1", "fd00:26::1"],
            _ => ["172.27.0.1", "fd00:27::1"],
        };
        let (web, _) = scene.join(first, "web", "")?;
        let leads_by = |network: &str| -> Test {
            for (to, gateway) in ["10.99.0.2", "fd99::2"].iter().zip(gateways(network)) {
                assert_eq!(way_out(&web, to)?, gateway, "{first} first, {second} second: {to}");
            }
            assert_seen(&web, &scene.outside(false), "10.99.0.1");
            assert_seen(&web, &scene.outside(true), "fd99::1");
            Ok(())
        };
        scene.stage.typed(&format!("connect {second} web"))?;
        leads_by(first)?;
        scene.stage.typed(&format!("disconnect {first} web"))?;
        leads_by(second)?;
        // Who comes back is last.
        scene.stage.typed(&format!("connect {first} web"))?;
        leads_by(second)?;
        scene.stage.typed(&format!("disconnect {second} web"))?;
        leads_by(first)?;
    }
    Ok(())
}

#[test]
fn a_port_is_published_where_the_network_says_and_by_its_gateway_to_nobody_else() -> Test {
    let binding = "-o com.docker.network.bridge.host_binding_ipv4=127.0.0.1";
    let mut scene =
        Scene::new(&[&format!("local --subnet 172.26.0.0/16 {binding}"), "open --subnet 172.27.0.0/16"])?;
    let (web, _) = scene.join(
        "local",
        "web",
        "-p 8080:80 -p 8080:80/udp -p 10.99.0.1:8081:80 -p 10.99.0.1:8081:80/udp",
    )?;
    let (far, _) = scene.join("open", "far", "")?;
    assert_seen(scene.stage.host(), "127.0.0.1:8080", "172.26.0.1");
    for (from, address) in [(&far, "10.99.0.1:8080"), (&far, "172.27.0.1:8080"), (&web, "172.26.0.1:8080")] {
        assert_unreached(from, address);
    }
    assert_unreached(&scene.outside, "10.99.0.1:8080");
    // A port that names an address has that.
    assert_seen(&scene.outside, "10.99.0.1:8081", "10.99.0.2");
    assert_seen(&far, "10.99.0.1:8081", "172.26.0.1");
    Ok(())
}

#[test]
fn a_container_of_two_networks_publishes_on_both() -> Test {
    let mut scene = Scene::new(&["a --subnet 172.26.0.0/16", "b --subnet 172.27.0.0/16"])?;
    let (_web, _) = scene.join("a", "web", "-p 8080:80 -p 8080:80/udp")?;
    let peer: IpAddr = "10.99.0.2".parse()?;
    scene.stage.typed("connect b web -p 8081:90 -p 8081:90/udp")?;
    for port in [8080, 8081] {
        assert_seen(&scene.outside, &format!("10.99.0.1:{port}"), &peer.to_string());
    }
    scene.stage.typed("disconnect a web")?;
    assert_unreached(&scene.outside, "10.99.0.1:8080");
    assert_seen(&scene.outside, "10.99.0.1:8081", &peer.to_string());
    Ok(())
}
