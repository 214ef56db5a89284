//! The very first packet of a container, sent in the instant when ADD returns, arrives.

use lab::Place;
use lab::traffic::{FirstPacketProbe, Transport, serve};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tests::config::{BRIDGE, dual, v4, with};
use tests::{Stage, Test};

const ROUNDS: usize = 20;
const WITHIN: Duration = Duration::from_secs(5);

/// A network whose gateway is asked at this address. Where IPv4 is asked for there is nothing else: a wait for the
/// IPv6 address would hide that nobody waits for the port.
fn config(server: SocketAddr) -> Value {
    with(if server.is_ipv4() { v4() } else { dual() }, json!({"ipMasq": true}))
}

const GATEWAYS: [&str; 2] = ["[fd00:1::1]:7000", "10.1.0.1:7000"];

/// Attaches a container and lets it ask the server at once; tells which of its datagrams was answered.
#[allow(clippy::print_stdout, reason = "a figure for people to look at: no test asserts a time")]
fn first_packet(stage: &Stage, name: &str, server: SocketAddr) -> Result<u64, Box<dyn std::error::Error>> {
    let container = stage.container(name)?;
    let probe = FirstPacketProbe::start(&container, Transport::Udp, server, WITHIN)?;
    let call = stage.call("bridge", &config(server)).of(&container);
    call.add().result()?;
    let first = probe.send()?;
    println!("{name}: {:?} after ADD returned", first.took);
    call.del().done()?;
    container.vanish(stage)?;
    Ok(first.answered)
}

/// The server is on any address, for the gateway's comes with the first container only.
fn lives(server: SocketAddr, is_first: bool) -> Test {
    let stage = Stage::new("first-packet")?;
    let any = if server.is_ipv4() { "0.0.0.0:7000" } else { "[::]:7000" };
    let _server = serve(stage.host(), Transport::Udp, any.parse()?)?;
    if !is_first {
        // One that stays: otherwise the bridge would lose its carrier, and each container were a first one.
        let other = stage.container("other")?;
        stage.call("bridge", &config(server)).of(&other).add().result()?;
    }
    let mut lost = Vec::new();
    for round in 0..ROUNDS {
        let answered = first_packet(&stage, &format!("c{round}"), server)?;
        if answered > 0 {
            lost.push((round, answered));
        }
        if is_first {
            stage.host().run(["ip", "link", "delete", BRIDGE]).ok()?;
        }
    }
    assert!(lost.is_empty(), "in these rounds the datagram of that number was the first to arrive: {lost:?}");
    Ok(())
}

#[test]
fn of_the_first_container_of_a_bridge_in_ipv4() -> Test {
    lives(GATEWAYS[1].parse()?, true)
}

#[test]
fn of_the_first_container_of_a_bridge_in_ipv6() -> Test {
    lives(GATEWAYS[0].parse()?, true)
}

#[test]
fn of_a_later_container_in_ipv4() -> Test {
    lives(GATEWAYS[1].parse()?, false)
}

#[test]
fn of_a_later_container_in_ipv6() -> Test {
    lives(GATEWAYS[0].parse()?, false)
}

#[test]
fn between_two_containers() -> Test {
    for address in ["10.1.0.2:7000", "[fd00:1::2]:7000"] {
        let server: SocketAddr = address.parse()?;
        let stage = Stage::new("between")?;
        let db = stage.container("db")?;
        stage.call("bridge", &config(server)).of(&db).add().result()?;
        let _server = serve(&db, Transport::Udp, server)?;
        for round in 0..ROUNDS / 2 {
            let answered = first_packet(&stage, &format!("c{round}"), server)?;
            assert_eq!(answered, 0, "{address}, round {round}");
        }
    }
    Ok(())
}

#[test]
fn of_a_container_beside_others_at_the_same_time() -> Test {
    let stage = Stage::new("busy")?;
    let server: SocketAddr = GATEWAYS[1].parse()?;
    let _server = serve(stage.host(), Transport::Udp, "0.0.0.0:7000".parse()?)?;
    let rounds = |prefix: &str| {
        (0..5).try_for_each(|round| {
            let answered = first_packet(&stage, &format!("{prefix}{round}"), server)
                .map_err(|error| error.to_string())?;
            if answered == 0 {
                Ok(())
            } else {
                Err(format!("{prefix}{round}: datagram {answered} was the first"))
            }
        })
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = ["a", "b", "c", "d"].map(|prefix| scope.spawn(move || rounds(prefix))).into();
        all.into_iter().filter_map(|one| one.join().ok()).collect::<Result<(), String>>()
    })?;
    Ok(())
}
