//! From where a published port is reached, and as whom the container sees who asks.
//!
//! The scene: container `web` (10.1.0.2, fd00:1::2) publishes ports on bridge br0, with a neighbour on the same bridge
//! (.3); container `far` is on br1 (10.2.0.2, fd00:2::2); `outside` is a host next door that knows the way to both
//! networks. Everything is tried with `br_netfilter` on and off.

use lab::traffic::{Transport, ask, ask_from, knock_sctp, serve};
use lab::{Background, Neighbour, Place};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tests::config::{dual, portmap, with};
use tests::{Chain, Container, Stage, Test};

const WITHIN: Duration = Duration::from_secs(5);
/// What must not arrive is waited for as long.
const IN_VAIN: Duration = Duration::from_millis(250);
const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Udp];

/// The second network.
fn far_network() -> Value {
    let ipam = json!({
        "type": "host-local",
        "ranges": [[{"subnet": "10.2.0.0/24"}], [{"subnet": "fd00:2::/64"}]],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
    });
    with(dual(), json!({"name": "far", "bridge": "br1", "ipam": ipam}))
}

/// Everything is in place; `web` publishes 8080 everywhere, 8081 at 127.0.0.1 and 8082 at one address, both protocols.
struct Scene {
    stage: Stage,
    outside: Neighbour,
    web: Container,
    near: Container,
    far: Container,
    _servers: Vec<Background>,
}

const PORTS: [&str; 6] = [
    "8080:80",
    "8080:80/udp",
    "127.0.0.1:8081:80",
    "127.0.0.1:8081:80/udp",
    "10.99.0.1:8082:80",
    "10.99.0.1:8082:80/udp",
];

impl Scene {
    fn new(network: Value, portmap: Value, br_netfilter: bool) -> Result<Self, Box<dyn std::error::Error>> {
        let stage = Stage::new("reach")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        for subnet in ["10.1.0.0/24", "fd00:1::/64", "10.2.0.0/24", "fd00:2::/64"] {
            outside.learn(subnet)?;
        }
        switch_br_netfilter(&stage, br_netfilter)?;
        let (web, near, far) = (stage.container("web")?, stage.container("near")?, stage.container("far")?);
        let mut servers = Vec::new();
        Chain::new(&stage, &[network.clone(), portmap], &web).add()?;
        Chain::new(&stage, &[network], &near).add()?;
        Chain::new(&stage, &[far_network()], &far).add()?;
        for transport in BOTH {
            servers.push(serve(&web, transport, "[::]:80".parse()?)?);
            servers.push(serve(&web, transport, "[::]:90".parse()?)?);
        }
        Ok(Self { stage, outside, web, near, far, _servers: servers })
    }

    /// As whom the container sees who asks, over both protocols alike; nobody, if it is not reached.
    #[allow(clippy::panic, reason = "a test that asks at no address fails")]
    fn seen(&self, from: &impl Place, address: &str, within: Duration) -> Option<IpAddr> {
        let address: SocketAddr = address.parse().unwrap_or_else(|error| panic!("{address}: {error}"));
        let [tcp, udp] =
            BOTH.map(|transport| ask(from, transport, address, within).ok().map(|seen| seen.ip()));
        assert_eq!(tcp, udp, "{address}: TCP and UDP differ");
        tcp
    }

    #[track_caller]
    fn assert_seen(&self, from: &impl Place, address: &str, expected: &str) {
        let seen = self.seen(from, address, WITHIN).map(|seen| seen.to_string());
        assert_eq!(seen.as_deref(), Some(expected), "{address}");
    }

    #[track_caller]
    fn assert_unreached(&self, from: &impl Place, address: &str) {
        assert_eq!(self.seen(from, address, IN_VAIN), None, "{address}");
    }
}

fn switch_br_netfilter(stage: &Stage, on: bool) -> Test {
    let value = u8::from(on);
    let script = format!(
        "for key in iptables ip6tables; do file=/proc/sys/net/bridge/bridge-nf-call-$key;
         [ ! -e $file ] || echo {value} >$file; done"
    );
    stage.host().sh(&script).ok()?;
    Ok(())
}

/// Everybody reaches the port at every address of the host, and is seen as himself where that can be.
fn everywhere(network: Value, br_netfilter: bool) -> Test {
    let scene = Scene::new(network, portmap(&PORTS), br_netfilter)?;
    // The outside client's real address, in both families.
    scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.99.0.2");
    scene.assert_seen(&scene.outside, "[fd99::1]:8080", "fd99::2");
    scene.assert_seen(&scene.outside, "10.99.0.1:8082", "10.99.0.2");
    // The host by any of its own addresses.
    let host = scene.stage.host();
    scene.assert_seen(host, "10.99.0.1:8080", "10.99.0.1");
    scene.assert_seen(host, "[fd99::1]:8080", "fd99::1");
    scene.assert_seen(host, "10.1.0.1:8080", "10.1.0.1");
    scene.assert_seen(host, "10.2.0.1:8080", "10.2.0.1");
    scene.assert_seen(host, "127.0.0.1:8080", "10.1.0.1");
    scene.assert_seen(host, "127.0.0.1:8081", "10.1.0.1");
    scene.assert_seen(host, "127.9.9.9:8080", "10.1.0.1");
    // The container itself, by every address that it can know.
    scene.assert_seen(&scene.web, "10.99.0.1:8080", "10.1.0.1");
    scene.assert_seen(&scene.web, "10.1.0.1:8080", "10.1.0.1");
    scene.assert_seen(&scene.web, "[fd99::1]:8080", "fd00:1::1");
    scene.assert_seen(&scene.web, "10.99.0.1:8082", "10.1.0.1");
    // A neighbour: where the bridge itself translates it is seen as it is, elsewhere it is masqueraded.
    let [v4, v6] = if br_netfilter { ["10.1.0.3", "fd00:1::3"] } else { ["10.1.0.1", "fd00:1::1"] };
    scene.assert_seen(&scene.near, "10.99.0.1:8080", v4);
    scene.assert_seen(&scene.near, "10.1.0.1:8080", v4);
    scene.assert_seen(&scene.near, "[fd99::1]:8080", v6);
    // A container of another network.
    scene.assert_seen(&scene.far, "10.99.0.1:8080", "10.2.0.2");
    scene.assert_seen(&scene.far, "10.2.0.1:8080", "10.2.0.2");
    scene.assert_seen(&scene.far, "[fd99::1]:8080", "fd00:2::2");
    // Nothing else is there.
    scene.assert_unreached(&scene.outside, "10.99.0.1:8081");
    scene.assert_unreached(host, "10.99.0.1:8081");
    scene.assert_unreached(&scene.near, "10.1.0.1:8081");
    scene.assert_unreached(&scene.far, "10.2.0.1:8082");
    scene.assert_unreached(&scene.outside, "10.99.0.1:80");
    // A program that tries ::1 first is refused at once.
    assert!(ask(host, Transport::Tcp, "[::1]:8080".parse()?, WITHIN).is_err());
    // The port itself by direct routing: a plain network is routed, masqueraded or not.
    scene.assert_seen(&scene.outside, "10.1.0.2:90", "10.99.0.2");
    Ok(())
}

#[test]
fn from_everywhere_where_bridges_show_their_packets() -> Test {
    everywhere(dual(), true)
}

#[test]
fn from_everywhere_where_bridges_keep_their_packets_to_themselves() -> Test {
    everywhere(dual(), false)
}

#[test]
fn from_everywhere_in_a_masqueraded_network() -> Test {
    everywhere(with(dual(), json!({"ipMasq": true})), true)?;
    everywhere(with(dual(), json!({"ipMasq": true})), false)
}

#[test]
fn from_everywhere_by_the_chains_of_the_reference() -> Test {
    for br_netfilter in [true, false] {
        let config = with(portmap(&PORTS), json!({"backend": "iptables"}));
        let scene = Scene::new(dual(), config, br_netfilter)?;
        scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.99.0.2");
        scene.assert_seen(&scene.outside, "[fd99::1]:8080", "fd99::2");
        scene.assert_seen(scene.stage.host(), "127.0.0.1:8081", "10.1.0.1");
        scene.assert_seen(scene.stage.host(), "10.99.0.1:8082", "10.99.0.1");
        scene.assert_seen(&scene.web, "10.99.0.1:8080", "10.1.0.1");
        // The reference's rules masquerade everybody of the subnet.
        scene.assert_seen(&scene.near, "10.99.0.1:8080", "10.1.0.1");
        scene.assert_seen(&scene.far, "10.99.0.1:8080", "10.2.0.2");
        scene.assert_unreached(&scene.outside, "10.99.0.1:8081");
    }
    Ok(())
}

#[test]
fn of_a_guarded_network_only_published_ports_are_reached_from_outside() -> Test {
    for br_netfilter in [true, false] {
        let scene = Scene::new(with(dual(), json!({"gatewayMode": "nat"})), portmap(&PORTS), br_netfilter)?;
        scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.99.0.2");
        scene.assert_seen(&scene.outside, "[fd99::1]:8080", "fd99::2");
        scene.assert_seen(&scene.near, "10.1.0.2:90", "10.1.0.3");
        scene.assert_seen(scene.stage.host(), "10.1.0.2:90", "10.1.0.1");
        // By direct routing: neither a port that is not published nor one that is.
        for address in ["10.1.0.2:90", "10.1.0.2:80", "[fd00:1::2]:90", "[fd00:1::2]:80"] {
            scene.assert_unreached(&scene.outside, address);
        }
        // Its containers get out, and are answered.
        let _server = serve(&scene.outside, Transport::Udp, "10.99.0.2:7000".parse()?)?;
        assert_eq!(
            ask(&scene.web, Transport::Udp, "10.99.0.2:7000".parse()?, WITHIN)?.ip().to_string(),
            "10.99.0.1",
            "masqueraded: that is what nat means"
        );
    }
    Ok(())
}

#[test]
fn a_routed_network_is_reached_directly_and_an_internal_one_not_at_all() -> Test {
    let scene = Scene::new(with(dual(), json!({"gatewayMode": "routed"})), portmap(&PORTS), false)?;
    for address in ["10.1.0.2:90", "[fd00:1::2]:90", "10.99.0.1:8080"] {
        assert!(scene.seen(&scene.outside, address, WITHIN).is_some(), "{address}");
    }
    let scene = Scene::new(with(dual(), json!({"gatewayMode": "internal"})), portmap(&PORTS), false)?;
    for address in ["10.1.0.2:90", "[fd00:1::2]:90", "10.99.0.1:8080", "[fd99::1]:8080"] {
        scene.assert_unreached(&scene.outside, address);
        scene.assert_unreached(&scene.far, address);
    }
    scene.assert_seen(&scene.near, "10.1.0.2:90", "10.1.0.3");
    let _server = serve(&scene.outside, Transport::Udp, "10.99.0.2:7000".parse()?)?;
    assert!(ask(&scene.web, Transport::Udp, "10.99.0.2:7000".parse()?, IN_VAIN).is_err());
    Ok(())
}

#[test]
fn isolated_networks_reach_only_each_other_s_published_ports() -> Test {
    let stage = Stage::new("isolated")?;
    let isolate = |config: Value| with(config, json!({"gatewayMode": "nat", "isolate": true}));
    let (web, far) = (stage.container("web")?, stage.container("far")?);
    Chain::new(&stage, &[isolate(dual()), portmap(&["8080:80"])], &web).add()?;
    Chain::new(&stage, &[isolate(far_network())], &far).add()?;
    let _servers =
        [serve(&web, Transport::Tcp, "[::]:80".parse()?)?, serve(&far, Transport::Tcp, "[::]:80".parse()?)?];
    assert!(ask(&far, Transport::Tcp, "10.1.0.2:80".parse()?, IN_VAIN).is_err());
    assert!(ask(&web, Transport::Tcp, "10.2.0.2:80".parse()?, IN_VAIN).is_err());
    assert!(ask(&web, Transport::Tcp, "[fd00:2::2]:80".parse()?, IN_VAIN).is_err());
    assert!(ask(&far, Transport::Tcp, "10.2.0.1:8080".parse()?, WITHIN).is_ok());
    Ok(())
}

/// Packets that no honest program sends: for the host's loopback address, and as if they came from there.
fn craft(place: &impl Place, gateway: &str) -> Test {
    let script = format!(
        "cd /proc/sys/net/ipv4/conf
         echo 1 >all/route_localnet; echo 1 >eth0/route_localnet; echo 1 >all/accept_local
         ip address delete 127.0.0.1/8 dev lo
         ip route add 127.0.0.0/8 via {gateway}
         ip address add 127.0.0.66/32 dev eth0"
    );
    place.sh(&script).ok()?;
    for address in ["127.0.0.1:7000", "127.0.0.1:8081", "127.0.0.1:8080"] {
        let answer = ask(place, Transport::Udp, address.parse()?, IN_VAIN);
        assert!(answer.is_err(), "{address} by way of {gateway}: {answer:?}");
    }
    let answer = ask_from(place, "127.0.0.66:4000".parse()?, format!("{gateway}:7001").parse()?, IN_VAIN);
    assert!(answer.is_err(), "as the host, by way of {gateway}: {answer:?}");
    Ok(())
}

#[test]
fn nobody_but_the_host_gets_at_its_loopback_address() -> Test {
    for network in [dual(), with(dual(), json!({"gatewayMode": "nat"}))] {
        let scene = Scene::new(network, portmap(&PORTS), false)?;
        let host = scene.stage.host();
        // A service that trusts whoever reaches it at 127.0.0.1, and one that everybody may ask.
        let _trusting = serve(host, Transport::Udp, "127.0.0.1:7000".parse()?)?;
        let _open = serve(host, Transport::Udp, "0.0.0.0:7001".parse()?)?;
        scene.assert_seen(host, "127.0.0.1:8081", "10.1.0.1");
        host.sh("nft insert rule inet netctl arriving iifname != lo ip saddr 127.0.0.0/8 counter").ok()?;
        host.sh("nft insert rule inet netctl arriving iifname != lo ip daddr 127.0.0.0/8 counter").ok()?;
        craft(&scene.near, "10.1.0.1")?;
        craft(&scene.outside, "10.99.0.1")?;
        // They did arrive: it is the rules that stopped them.
        let text = host.sh("nft list chain inet netctl arriving").ok()?;
        assert!(!text.contains("packets 0 "), "{text}");
        assert!(ask(host, Transport::Udp, "127.0.0.1:7000".parse()?, WITHIN).is_ok());
        assert!(ask(&scene.far, Transport::Udp, "10.2.0.1:7001".parse()?, WITHIN).is_ok());
    }
    Ok(())
}

#[test]
fn snat_and_masq_all_say_whose_address_the_container_sees() -> Test {
    let config = with(portmap(&PORTS), json!({"masqAll": true}));
    let scene = Scene::new(dual(), config, false)?;
    scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.1.0.1");
    scene.assert_seen(&scene.outside, "[fd99::1]:8080", "fd00:1::1");
    scene.assert_seen(&scene.far, "10.99.0.1:8080", "10.1.0.1");
    let config = with(portmap(&PORTS), json!({"snat": false}));
    let scene = Scene::new(dual(), config, false)?;
    scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.99.0.2");
    scene.assert_unreached(scene.stage.host(), "127.0.0.1:8080");
    let localnet = scene.stage.host().sh("cat /proc/sys/net/ipv4/conf/br0/route_localnet").ok()?;
    assert_eq!(localnet.trim(), "0");
    Ok(())
}

/// How many packets an nftables counter in a place has seen, once it has seen one.
fn counted(place: &impl Place) -> Result<u64, Box<dyn std::error::Error>> {
    let patience = Instant::now() + WITHIN;
    loop {
        let text = place.sh("nft list table ip seen").ok()?;
        let count = text.split("packets ").nth(1).and_then(|rest| rest.split(' ').next()).map(str::parse);
        match count.transpose()? {
            Some(0) if Instant::now() < patience => std::thread::sleep(Duration::from_millis(10)),
            count => return Ok(count.unwrap_or_default()),
        }
    }
}

#[test]
fn sctp_arrives_as_well() -> Test {
    for backend in ["nftables", "iptables"] {
        let stage = Stage::new("sctp")?;
        let outside = Neighbour::of(stage.host(), "outside")?;
        let web = stage.container("web")?;
        // Not answered: few kernels have sockets for it.
        let counter = "table ip seen { chain input { type filter hook input priority 0;
            ip saddr 10.99.0.2 sctp dport 80 counter drop; }; }";
        web.sh(&format!("nft '{counter}'")).ok()?;
        let ports = with(portmap(&["8080:80/sctp"]), json!({"backend": backend}));
        Chain::new(&stage, &[dual(), ports], &web).add()?;
        knock_sctp(&outside, "10.99.0.1:8080".parse()?)?;
        assert_eq!(counted(&web)?, 1, "{backend}");
    }
    Ok(())
}

#[test]
fn a_restarted_udp_server_gets_the_next_datagram() -> Test {
    let stage = Stage::new("restart")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let client: SocketAddr = SocketAddr::new(outside.v4(), 5000);
    let port: SocketAddr = "10.99.0.1:8080".parse()?;
    let configs = [dual(), portmap(&["8080:80/udp"])];
    // Before anything is published the client's datagrams end at the host.
    assert!(ask_from(&outside, client, port, IN_VAIN).is_err());
    for name in ["first", "second", "third"] {
        let container = stage.container(name)?;
        let chain = Chain::new(&stage, &configs, &container);
        let result = chain.add()?;
        let server = serve(&container, Transport::Udp, "[::]:80".parse()?)?;
        assert_eq!(ask_from(&outside, client, port, WITHIN)?, client, "{name}");
        drop(server);
        chain.del(Some(&result))?;
        // A container that is somebody else's by now must not get them.
        let remembered = stage
            .host()
            .sh("cat /proc/net/nf_conntrack 2>/dev/null; conntrack -L -p udp 2>/dev/null")
            .ok()?;
        assert!(!remembered.contains("dport=8080"), "{name}: {remembered}");
    }
    Ok(())
}

#[test]
fn marks_of_others_stay_as_they_are() -> Test {
    let scene = Scene::new(with(dual(), json!({"ipMasq": true})), portmap(&PORTS), false)?;
    // Somebody marks all packets and connections, and counts those that still bear the mark when they leave.
    let script = "nft -f - <<END
table inet others {
  chain pre { type filter hook prerouting priority mangle; meta mark set 0xdeadbeef ct mark set 0xcafe; }
  chain post { type filter hook postrouting priority 200; oifname br0 meta mark 0xdeadbeef ct mark 0xcafe counter; oifname br0 counter; }
}
END";
    scene.stage.host().sh(script).ok()?;
    scene.assert_seen(&scene.outside, "10.99.0.1:8080", "10.99.0.2");
    let text = scene.stage.host().sh("nft list chain inet others post").ok()?;
    let packets: Vec<&str> =
        text.lines().filter_map(|line| line.split("packets ").nth(1)?.split(' ').next()).collect();
    assert!(packets.len() == 2 && packets[0] == packets[1] && packets[0] != "0", "{text}");
    Ok(())
}
