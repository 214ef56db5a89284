//! The probes tell who sees whom, and how long the first packet takes.

use lab::traffic::{FirstPacketProbe, Transport, ask, ask_from, serve};
use lab::{Host, Namespace, Neighbour, Place};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

type Test = Result<(), Box<dyn Error>>;

const WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_server_tells_who_asks() -> Test {
    let host = Host::new("asking")?;
    let outside = Neighbour::of(&host, "outside")?;
    let ends = [(outside.v4(), outside.host_v4()), (outside.v6(), outside.host_v6())];
    for (server, client) in ends {
        for transport in [Transport::Udp, Transport::Tcp] {
            let address = SocketAddr::new(server, 7000);
            let _server = serve(&outside, transport, address)?;
            assert_eq!(ask(&host, transport, address, WITHIN)?.ip(), client);
        }
    }
    let silent = SocketAddr::new(outside.v4(), 7001);
    assert!(ask(&host, Transport::Tcp, silent, WITHIN).is_err());
    assert!(ask(&host, Transport::Udp, silent, Duration::from_millis(50)).is_err());
    Ok(())
}

#[test]
fn a_server_on_any_address_sees_ipv4_clients_as_such() -> Test {
    let host = Host::new("any")?;
    let _server = serve(&host, Transport::Udp, "[::]:7000".parse()?)?;
    assert_eq!(ask(&host, Transport::Udp, "127.0.0.1:7000".parse()?, WITHIN)?.ip().to_string(), "127.0.0.1");
    let from = "127.0.0.1:40000".parse()?;
    assert_eq!(ask_from(&host, from, "127.0.0.1:7000".parse()?, WITHIN)?, from);
    Ok(())
}

#[test]
fn the_first_packet_is_timed_from_the_signal() -> Test {
    let host = Host::new("first")?;
    let container = Namespace::create(&host, "c1")?;
    for transport in [Transport::Udp, Transport::Tcp] {
        let address: SocketAddr = "10.1.0.1:7000".parse()?;
        let probe = FirstPacketProbe::start(&container, transport, address, WITHIN)?;
        host.sh("ip link add v0 type veth peer name eth0 netns c1; ip addr add 10.1.0.1/24 dev v0").ok()?;
        host.sh("ip link set v0 up; ip -n c1 addr add 10.1.0.2/24 dev eth0; ip -n c1 link set eth0 up")
            .ok()?;
        let server = serve(&host, transport, address)?;
        let first = probe.send()?;
        println!("{transport:?}: {first:?}");
        assert_eq!(first.answered, 0);
        drop(server);
        host.sh("ip link delete v0").ok()?;
    }
    Ok(())
}

#[test]
fn a_first_packet_that_is_lost_shows_by_its_number() -> Test {
    let host = Host::new("lost")?;
    let address: SocketAddr = "127.0.0.1:7000".parse()?;
    let probe = FirstPacketProbe::start(&host, Transport::Udp, address, WITHIN)?;
    let late = std::thread::spawn(move || probe.send());
    std::thread::sleep(Duration::from_millis(30));
    let _server = serve(&host, Transport::Udp, address)?;
    let first = late.join().expect("the thread does not panic")?;
    assert!(first.answered > 10 && first.sent > first.answered, "{first:?}");
    assert!(first.took > Duration::from_millis(20), "{first:?}");
    Ok(())
}
