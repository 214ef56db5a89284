//! Connections to published ports: real datagrams, a rule of `nft` that leads them, `conntrack` as a witness.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::support::{Landscape, nft, run, seen_as};
use firewall::conntrack::{Flow, forget, forget_others};
use netns::Netns;
use vocab::{Port, Protocol};

/// For a datagram on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

fn flow(host: &str, port: u16, target: Option<&str>) -> Flow {
    Flow {
        protocol: Protocol::Udp,
        host_address: host.parse().unwrap(),
        host_port: Port::new(port).unwrap(),
        target: target.map(|target| target.parse().unwrap()),
    }
}

/// Leads datagrams to the host's ports 1000 to 1999 to port 53 of a container.
fn publish(number: u8) {
    nft(&format!(
        "table inet test {{ }}; delete table inet test
         table inet test {{ chain prerouting {{
            type nat hook prerouting priority -100
            fib daddr type local meta nfproto ipv4 udp dport 1000-1999 dnat ip to 10.22.0.{number}:53
            fib daddr type local meta nfproto ipv6 udp dport 1000-1999 dnat ip6 to [fd22::{number}]:53
         }}
         }}\n"
    ));
}

/// No port leads anywhere, but connections are tracked.
fn unpublish() {
    nft("table inet test { chain prerouting { type nat hook prerouting priority -100; ct state new; }; }\n");
}

fn bind(netns: &Netns, address: &str) -> UdpSocket {
    let socket = netns.run(|| UdpSocket::bind(address)).unwrap().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends one datagram; it must arrive at one of the servers and at no other.
fn arrives(client: &UdpSocket, to: &str, at: &UdpSocket, not_at: &UdpSocket) {
    client.send_to(b"hello", to.parse::<SocketAddr>().unwrap()).unwrap();
    assert!(at.recv(&mut [0; 16]).is_ok(), "{to}");
    not_at.set_nonblocking(true).unwrap();
    assert_eq!(not_at.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock, "{to}");
    not_at.set_nonblocking(false).unwrap();
}

/// What `conntrack` lists of both families, a line a connection.
fn remembered(netns: &Netns) -> Vec<String> {
    let list = |family: &str| run(&format!("conntrack -L -p udp -f {family}"));
    let both = netns.run(|| [list("ipv4"), list("ipv6")].concat()).unwrap();
    both.lines().map(str::to_owned).collect()
}

fn landscape() -> Option<Landscape> {
    let _conntrack = lab::tools::require("conntrack")?;
    let landscape = Landscape::new()?;
    let Landscape { host, containers: [one, two], neighbour } = &landscape;
    // A fresh address takes a moment until packets reach it; nothing is tracked yet.
    for (from, to, addresses) in [
        (neighbour, host, ["192.0.2.1", "fd99::1"]),
        (neighbour, one, ["10.22.0.11", "fd22::11"]),
        (neighbour, two, ["10.22.0.12", "fd22::12"]),
        (one, neighbour, ["192.0.2.2", "fd99::2"]),
    ] {
        assert!(addresses.iter().all(|address| seen_as(from, to, address, PATIENCE).is_some()));
    }
    Some(landscape)
}

#[test]
fn the_next_datagram_of_a_client_meets_the_server_s_new_address() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = landscape() else { return };
    for (client, to, any, targets) in [
        ("0.0.0.0:4000", "192.0.2.1:1053", "0.0.0.0:53", ["10.22.0.11:53", "10.22.0.12:53"]),
        ("[::]:4001", "[fd99::1]:1053", "[::]:53", ["[fd22::11]:53", "[fd22::12]:53"]),
    ] {
        let client = bind(&neighbour, client);
        let (old, new) = (bind(&one, any), bind(&two, any));
        host.run(|| publish(11)).unwrap();
        arrives(&client, to, &old, &new);
        host.run(|| publish(12)).unwrap();
        // That is the trouble: whoever sends on is led to the old place.
        arrives(&client, to, &old, &new);
        let flows = [flow("", 1053, Some(targets[1]))];
        assert_eq!(host.run(|| forget_others(&flows)).unwrap().unwrap(), 1);
        arrives(&client, to, &new, &old);
        assert_eq!(host.run(|| forget_others(&flows)).unwrap().unwrap(), 0, "it leads there already");
        arrives(&client, to, &new, &old);
        // When the port is taken away its connections go, and no others'.
        let other = [flow("", 1053, Some(targets[0]))];
        host.run(|| forget(&other)).unwrap().unwrap();
        assert_eq!(remembered(&host).len(), 1);
        for _ in 0..2 {
            host.run(|| forget(&flows)).unwrap().unwrap();
            assert_eq!(remembered(&host), [""; 0]);
        }
    }
}

#[test]
fn a_client_that_asked_the_host_in_vain_meets_the_server_that_comes() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = landscape() else { return };
    let client = bind(&neighbour, "0.0.0.0:4000");
    let (server, other) = (bind(&one, "0.0.0.0:53"), bind(&two, "0.0.0.0:53"));
    let on_host = bind(&host, "0.0.0.0:1053");
    host.run(unpublish).unwrap();
    arrives(&client, "192.0.2.1:1053", &on_host, &server);
    host.run(|| publish(11)).unwrap();
    arrives(&client, "192.0.2.1:1053", &on_host, &server);
    // Published at another address of the host: none of its business.
    let elsewhere = [flow("10.22.0.1", 1053, Some("10.22.0.11:53"))];
    assert_eq!(host.run(|| forget_others(&elsewhere)).unwrap().unwrap(), 0);
    let here = [flow("192.0.2.1", 1053, Some("10.22.0.11:53"))];
    assert_eq!(host.run(|| forget_others(&here)).unwrap().unwrap(), 1);
    arrives(&client, "192.0.2.1:1053", &server, &other);
    assert_eq!(remembered(&host).len(), 1);
}

#[test]
fn connections_that_pass_through_stay() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = landscape() else { return };
    host.run(unpublish).unwrap();
    for [asking, asked, inside, from_outside] in [
        ["10.22.0.11:4000", "192.0.2.2:1053", "10.22.0.12:1053", "192.0.2.2:4000"],
        ["[fd22::11]:4000", "[fd99::2]:1053", "[fd22::12]:1053", "[fd99::2]:4000"],
    ] {
        let servers = [bind(&neighbour, asked), bind(&two, inside)];
        arrives(&bind(&one, asking), asked, &servers[0], &servers[1]);
        arrives(&bind(&neighbour, from_outside), inside, &servers[1], &servers[0]);
    }
    let before = remembered(&host);
    assert_eq!(before.len(), 4, "{before:?}");
    for host_address in ["", "0.0.0.0", "::", "192.0.2.1"] {
        for target in [None, Some("10.22.0.11:53"), Some("10.22.0.12:1053"), Some("[fd22::12]:1053")] {
            let flows = [flow(host_address, 1053, target)];
            host.run(|| forget(&flows)).unwrap().unwrap();
            assert_eq!(remembered(&host).len(), 4, "{flows:?}");
            assert_eq!(host.run(|| forget_others(&flows)).unwrap().unwrap(), 0, "{flows:?}");
        }
    }
}

#[test]
fn many_connections_to_many_ports_are_forgotten_at_once() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = landscape() else { return };
    host.run(|| publish(11)).unwrap();
    let (server, other) = (bind(&one, "0.0.0.0:53"), bind(&two, "0.0.0.0:53"));
    let client = bind(&neighbour, "0.0.0.0:4000");
    for port in 1000..1150 {
        arrives(&client, &format!("192.0.2.1:{port}"), &server, &other);
    }
    let flows: Vec<_> = (1000..1140).map(|port| flow("", port, Some("10.22.0.11:53"))).collect();
    assert_eq!(host.run(|| forget_others(&flows)).unwrap().unwrap(), 0);
    host.run(|| forget(&flows[..10])).unwrap().unwrap();
    assert_eq!(remembered(&host).len(), 140, "described one by one");
    host.run(|| forget(&flows)).unwrap().unwrap();
    let rest = remembered(&host);
    assert!(rest.len() == 10 && rest.iter().all(|line| line.contains("dport=114")), "{rest:?}");
    let all: Vec<_> = (1000..2000).map(|port| flow("", port, None)).collect();
    assert_eq!(host.run(|| forget_others(&all)).unwrap().unwrap(), 10);
}

#[test]
fn sctp_is_told_from_udp() {
    // The host has its address as long as there is a neighbour.
    let Some(Landscape { host, neighbour: _neighbour, .. }) = landscape() else { return };
    let insert = |protocol: &str| {
        run(&format!(
            "conntrack -I -p {protocol} -s 192.0.2.2 -d 192.0.2.1 --sport 4000 --dport 1053 \
             --dst-nat 10.22.0.11 -t 100"
        ))
    };
    host.run(|| {
        unpublish();
        insert("udp");
        insert("sctp --orig-vtag 1 --reply-vtag 2 --state ESTABLISHED");
        let list = |protocol| run(&format!("conntrack -L -p {protocol}")).lines().count();
        let of = |protocol, target: Option<&str>| Flow { protocol, ..flow("0.0.0.0", 1053, target) };
        assert_eq!(forget_others(&[of(Protocol::Sctp, Some("10.22.0.11:1053"))]).unwrap(), 0);
        forget(&[of(Protocol::Tcp, Some("10.22.0.11:1053"))]).unwrap();
        assert_eq!((list("sctp"), list("udp")), (1, 1));
        forget(&[of(Protocol::Sctp, Some("10.22.0.11:1053"))]).unwrap();
        assert_eq!((list("sctp"), list("udp")), (0, 1));
        assert_eq!(forget_others(&[of(Protocol::Udp, None)]).unwrap(), 1);
    })
    .unwrap();
}

#[test]
fn who_asks_the_container_itself_is_not_forgotten_with_its_port() {
    let Some(Landscape { host, containers: [one, two], neighbour }) = landscape() else { return };
    let (server, other) = (bind(&one, "0.0.0.0:1053"), bind(&two, "0.0.0.0:1053"));
    host.run(|| {
        nft("table ip test { chain prerouting { type nat hook prerouting priority -100
             fib daddr type local udp dport 1053 dnat to 10.22.0.11; }; }\n");
    })
    .unwrap();
    arrives(&bind(&neighbour, "0.0.0.0:4000"), "10.22.0.11:1053", &server, &other);
    arrives(&bind(&neighbour, "0.0.0.0:4001"), "192.0.2.1:1053", &server, &other);
    assert_eq!(remembered(&host).len(), 2);
    host.run(|| forget(&[flow("", 1053, Some("10.22.0.11:1053"))])).unwrap().unwrap();
    let rest = remembered(&host);
    assert!(rest.len() == 1 && rest[0].contains("sport=4000"), "{rest:?}");
}

#[test]
fn where_nothing_is_remembered_nothing_is_forgotten() {
    let Some(host) = crate::support::fresh() else { return };
    host.run(|| {
        forget(&[]).unwrap();
        forget(&[flow("", 53, None)]).unwrap();
        assert_eq!(forget_others(&[flow("127.0.0.1", 53, None)]).unwrap(), 0);
    })
    .unwrap();
}
