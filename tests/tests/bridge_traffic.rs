//! What passes over a bridge: between containers, to the host, and out of it.

use lab::traffic::{Transport, ask, serve};
use lab::{Neighbour, Place};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tests::config::{dual, v4, with};
use tests::facts::{link, pings, ruleset};
use tests::{Container, Stage, Test};

const WITHIN: Duration = Duration::from_secs(5);

fn socket(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 7000)
}

fn addresses_of(containers: &[Container]) -> impl Iterator<Item = [IpAddr; 2]> {
    (2..)
        .take(containers.len())
        .map(|number: u16| [[10, 1, 0, number as u8].into(), [0xfd00, 1, 0, 0, 0, 0, 0, number].into()])
}

#[test]
fn containers_reach_each_other_and_the_gateway_in_both_families() -> Test {
    let stage = Stage::new("among")?;
    let containers = stage.containers("c", 3)?;
    for container in &containers {
        stage.call("bridge", &dual()).of(container).add().result()?;
    }
    let own: Vec<_> = addresses_of(&containers).collect();
    for family in 0..2 {
        let gateway = ["10.1.0.1", "fd00:1::1"][family];
        for (container, addresses) in containers.iter().zip(&own) {
            assert!(pings(container, gateway));
            assert!(pings(stage.host(), &addresses[family].to_string()));
        }
        let server = socket(own[1][family]);
        let _server = serve(&containers[1], Transport::Tcp, server)?;
        assert_eq!(ask(&containers[0], Transport::Tcp, server, WITHIN)?.ip(), own[0][family]);
        assert_eq!(ask(stage.host(), Transport::Tcp, server, WITHIN)?.ip().to_string(), gateway);
    }
    Ok(())
}

#[test]
fn what_leaves_a_masqueraded_network_bears_the_hosts_address() -> Test {
    let stage = Stage::new("outward")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let containers = stage.containers("c", 2)?;
    for container in &containers {
        stage.call("bridge", &with(dual(), json!({"ipMasq": true}))).of(container).add().result()?;
    }
    for (server, host) in [(outside.v4(), outside.host_v4()), (outside.v6(), outside.host_v6())] {
        for transport in [Transport::Udp, Transport::Tcp] {
            let _server = serve(&outside, transport, socket(server))?;
            for container in &containers {
                assert_eq!(ask(container, transport, socket(server), WITHIN)?.ip(), host);
            }
        }
    }
    // Among containers, and to the host, nobody is masqueraded.
    let own: Vec<_> = addresses_of(&containers).collect();
    for family in 0..2 {
        let _server = serve(&containers[1], Transport::Udp, socket(own[1][family]))?;
        let seen = ask(&containers[0], Transport::Udp, socket(own[1][family]), WITHIN)?;
        assert_eq!(seen.ip(), own[0][family]);
        let gateway: IpAddr = ["10.1.0.1", "fd00:1::1"][family].parse()?;
        let _server = serve(stage.host(), Transport::Udp, socket(gateway))?;
        assert_eq!(ask(&containers[0], Transport::Udp, socket(gateway), WITHIN)?.ip(), own[0][family]);
    }
    Ok(())
}

#[test]
fn without_masquerade_the_container_is_seen_as_itself() -> Test {
    let stage = Stage::new("itself")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    outside.learn("10.1.0.0/24")?;
    outside.learn("fd00:1::/64")?;
    let containers = stage.containers("c", 1)?;
    stage.call("bridge", &dual()).of(&containers[0]).add().result()?;
    for (server, own) in
        [outside.v4(), outside.v6()].into_iter().zip(addresses_of(&containers).next().into_iter().flatten())
    {
        let _server = serve(&outside, Transport::Udp, socket(server))?;
        assert_eq!(ask(&containers[0], Transport::Udp, socket(server), WITHIN)?.ip(), own);
        // And it can be reached from outside, as with the reference.
        assert!(pings(&outside, &own.to_string()));
    }
    assert_eq!(ruleset(stage.host())?, "", "a network that asks for no rule has none");
    Ok(())
}

#[test]
fn masquerade_ends_with_its_last_container_and_not_before() -> Test {
    let stage = Stage::new("last")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let containers = stage.containers("c", 2)?;
    let call = |container| stage.call("bridge", &with(v4(), json!({"ipMasq": true}))).of(container);
    for container in &containers {
        call(container).add().result()?;
    }
    call(&containers[1]).del().done()?;
    assert_eq!(ask(&containers[0], Transport::Udp, socket(outside.v4()), WITHIN)?.ip(), outside.host_v4());
    call(&containers[0]).del().done()?;
    let rules = ruleset(stage.host())?;
    assert!(!rules.contains("10.1.0."), "{rules}");
    Ok(())
}

#[test]
fn each_network_has_its_own_masquerade() -> Test {
    let stage = Stage::new("each")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let containers = stage.containers("c", 2)?;
    let networks: Vec<_> = (1..3)
        .map(|number| {
            let ipam = json!({
                "type": "host-local",
                "ranges": [[{"subnet": format!("10.{number}.0.0/24")}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            });
            let names =
                json!({"name": format!("n{number}"), "bridge": format!("br{number}"), "ipMasq": true});
            with(with(v4(), names), json!({ "ipam": ipam }))
        })
        .collect();
    for (network, container) in networks.iter().zip(&containers) {
        stage.call("bridge", network).of(container).add().result()?;
        assert_eq!(ask(container, Transport::Udp, socket(outside.v4()), WITHIN)?.ip(), outside.host_v4());
    }
    stage.call("bridge", &networks[0]).of(&containers[0]).del().done()?;
    assert_eq!(ask(&containers[1], Transport::Udp, socket(outside.v4()), WITHIN)?.ip(), outside.host_v4());
    Ok(())
}

#[test]
fn a_flushed_ruleset_is_put_back_by_the_next_add() -> Test {
    let stage = Stage::new("flushed")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let _server = serve(&outside, Transport::Udp, socket(outside.v4()))?;
    let containers = stage.containers("c", 2)?;
    let config = with(v4(), json!({"ipMasq": true}));
    for flush in ["nft flush ruleset", "nft flush table inet netctl", "true"] {
        stage.host().sh(flush).ok()?;
        let container = stage.container(&format!("x-{}", flush.len()))?;
        stage.call("bridge", &config).of(&container).add().result()?;
        assert_eq!(ask(&container, Transport::Udp, socket(outside.v4()), WITHIN)?.ip(), outside.host_v4());
    }
    drop(containers);
    Ok(())
}

#[test]
fn the_words_iptables_get_the_references_chains() -> Test {
    let stage = Stage::new("iptables")?;
    let outside = Neighbour::of(stage.host(), "outside")?;
    let before = tests::Before::of(&stage)?;
    let container = stage.container("web")?;
    let config = with(dual(), json!({"ipMasq": true, "ipMasqBackend": "iptables"}));
    let call = stage.call("bridge", &config).of(&container);
    let result = call.add().result()?;
    let rules = stage.host().sh("iptables-save -t nat; ip6tables-save -t nat").ok()?;
    // sha512 of network and container id, as the reference has it.
    let chain = stage.host().sh("printf netweb | sha512sum | cut -c1-24").ok()?;
    for expected in [
        format!(
            "-A POSTROUTING -s 10.1.0.2/32 -m comment --comment \"name: \\\"net\\\" id: \\\"web\\\"\" -j CNI-{}",
            chain.trim()
        ),
        format!(
            "-A POSTROUTING -s fd00:1::2/128 -m comment --comment \"name: \\\"net\\\" id: \\\"web\\\"\" -j CNI-{}",
            chain.trim()
        ),
        format!("-A CNI-{} -d 10.1.0.0/24 -m comment", chain.trim()),
        format!("-A CNI-{} ! -d 224.0.0.0/4 -m comment", chain.trim()),
    ] {
        assert!(rules.contains(&expected), "{expected}: {rules}");
    }
    for (server, host) in [(outside.v4(), outside.host_v4()), (outside.v6(), outside.host_v6())] {
        let _server = serve(&outside, Transport::Udp, socket(server))?;
        assert_eq!(ask(&container, Transport::Udp, socket(server), WITHIN)?.ip(), host);
    }
    call.clone().after(&result).check().done()?;
    container.vanish(&stage)?;
    // No namespace, no result: the reference leaves its rules behind then.
    call.without("CNI_NETNS").del().done()?;
    let rules = stage.host().sh("iptables-save -t nat; ip6tables-save -t nat").ok()?;
    assert!(!rules.contains("CNI-") && !rules.contains("10.1.0.2"), "{rules}");
    drop(before);
    Ok(())
}

#[test]
fn a_forged_link_layer_address_gets_nowhere() -> Test {
    let stage = Stage::new("forged")?;
    let containers = stage.containers("c", 2)?;
    let config = with(dual(), json!({"macspoofchk": true}));
    for container in &containers {
        stage.call("bridge", &config).of(container).add().result()?;
    }
    let honest = tests::facts::plain(&link(&containers[0], "eth0")?["address"]);
    assert!(pings(&containers[0], "10.1.0.3") && pings(&containers[0], "fd00:1::3"));
    containers[0].sh("ip link set eth0 address 02:00:00:00:00:66; ip neigh flush all").ok()?;
    assert!(!pings(&containers[0], "10.1.0.1"), "the frame should have been dropped");
    containers[0].sh(&format!("ip link set eth0 address {honest}")).ok()?;
    assert!(pings(&containers[0], "10.1.0.3"));
    // Another container's end does not touch this one's check.
    stage.call("bridge", &config).of(&containers[1]).del().done()?;
    containers[0].sh("ip link set eth0 address 02:00:00:00:00:66; ip neigh flush all").ok()?;
    assert!(!pings(&containers[0], "10.1.0.1"));
    Ok(())
}

#[test]
fn a_container_reaches_itself_through_a_hairpin() -> Test {
    let stage = Stage::new("hairpin")?;
    let container = stage.container("web")?;
    stage.call("bridge", &with(v4(), json!({"hairpinMode": true}))).of(&container).add().result()?;
    let _server = serve(&container, Transport::Tcp, "10.1.0.2:80".parse()?)?;
    // A forwarding of somebody else's, as a published port would make it.
    let rules = "nft add table ip t; nft 'add chain ip t pre { type nat hook prerouting priority dstnat; }';
        nft add rule ip t pre ip daddr 10.1.0.1 tcp dport 8080 dnat to 10.1.0.2:80;
        nft 'add chain ip t post { type nat hook postrouting priority srcnat; }';
        nft add rule ip t post ip saddr 10.1.0.2 ip daddr 10.1.0.2 masquerade";
    stage.host().sh(rules).ok()?;
    assert_eq!(
        ask(&container, Transport::Tcp, "10.1.0.1:8080".parse()?, WITHIN)?.ip().to_string(),
        "10.1.0.1"
    );
    Ok(())
}
