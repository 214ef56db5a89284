//! Real sockets in fresh namespaces.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Command;
use std::thread;

use lab::traffic::{self, Transport};
use lab::{Host, tools};
use listeners::{Listener, Wanted, find, find_any, find_any_but};
use netns::Netns;
use nix::sys::socket::sockopt::{Ipv6V6Only, ReuseAddr};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, bind, listen, setsockopt, socket,
};
use vocab::{HostAddress, Port, Protocol};

/// Runs `test` in a fresh namespace with two addresses of each family.
fn on_a_host(test: impl FnOnce() + Send) {
    let Some(_ip) = tools::require("ip") else { return };
    let host = match Netns::create() {
        Ok(host) => host,
        Err(error) => return tools::skip(&format!("{error} (it takes root)")),
    };
    host.run(|| {
        for words in ["link set lo up", "addr add 10.0.0.1/32 dev lo", "addr add fd00::1/128 dev lo nodad"] {
            assert!(Command::new("ip").args(words.split(' ')).status().unwrap().success());
        }
        test();
    })
    .unwrap();
}

fn who(protocol: Protocol, host_address: &str, port: u16) -> Option<Listener> {
    find(protocol, host_address.parse().unwrap(), Port::new(port).unwrap()).unwrap()
}

/// Whether somebody listens at each of these.
fn taken(protocol: Protocol, port: u16) -> Vec<&'static str> {
    let addresses = ["", "0.0.0.0", "127.0.0.1", "10.0.0.1", "10.0.0.9", "::", "::1", "fd00::1", "fd00::9"];
    addresses.into_iter().filter(|address| who(protocol, address, port).is_some()).collect()
}

fn v6_only(kind: SockType, port: u16) -> OwnedFd {
    let socket = socket(AddressFamily::Inet6, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
    setsockopt(&socket, Ipv6V6Only, &true).unwrap();
    let address = SockaddrIn6::from(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0));
    bind(socket.as_raw_fd(), &address).unwrap();
    if kind == SockType::Stream {
        listen(&socket, Backlog::new(1).unwrap()).unwrap();
    }
    socket
}

#[test]
fn a_tcp_listener_has_its_own_address_and_no_other() {
    on_a_host(|| {
        assert_eq!(taken(Protocol::Tcp, 80), [""; 0]);
        let _one = TcpListener::bind("127.0.0.1:80").unwrap();
        let _other = TcpListener::bind("[fd00::1]:81").unwrap();
        assert_eq!(taken(Protocol::Tcp, 80), ["", "0.0.0.0", "127.0.0.1"]);
        assert_eq!(taken(Protocol::Tcp, 81), ["", "::", "fd00::1"]);
        assert_eq!(taken(Protocol::Tcp, 82), [""; 0]);
        assert_eq!(taken(Protocol::Udp, 80), [""; 0]);
    });
}

#[test]
fn a_listener_at_all_addresses_overlaps_each_also_those_that_the_host_has_not_yet() {
    on_a_host(|| {
        let _v4 = (TcpListener::bind("0.0.0.0:80").unwrap(), UdpSocket::bind("0.0.0.0:53").unwrap());
        let _both = (TcpListener::bind("[::]:81").unwrap(), UdpSocket::bind("[::]:54").unwrap());
        let _v6 = (v6_only(SockType::Stream, 82), v6_only(SockType::Datagram, 55));
        for (protocol, [v4, both, v6]) in [(Protocol::Tcp, [80, 81, 82]), (Protocol::Udp, [53, 54, 55])] {
            assert_eq!(taken(protocol, v4), ["", "0.0.0.0", "127.0.0.1", "10.0.0.1", "10.0.0.9"]);
            assert_eq!(taken(protocol, both).len(), 9, "{protocol}");
            assert_eq!(taken(protocol, v6), ["", "::", "::1", "fd00::1", "fd00::9"]);
        }
    });
}

#[test]
fn a_socket_of_ipv6_with_an_ipv4_address_is_one_of_ipv4() {
    on_a_host(|| {
        let _mapped = TcpListener::bind("[::ffff:10.0.0.1]:80").unwrap();
        assert_eq!(taken(Protocol::Tcp, 80), ["", "0.0.0.0", "10.0.0.1"]);
        let address: SocketAddr = "10.0.0.1:80".parse().unwrap();
        assert_eq!(who(Protocol::Tcp, "", 80).unwrap().address, address);
    });
}

#[test]
fn udp_servers_that_share_their_port_are_seen() {
    on_a_host(|| {
        // With this option a second socket may have the same port: whoever only tries to bind it finds nobody.
        let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).unwrap();
        setsockopt(&socket, ReuseAddr, &true).unwrap();
        bind(socket.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, 5353)).unwrap();
        assert!(who(Protocol::Udp, "", 5353).is_some());
        assert!(who(Protocol::Udp, "::", 5353).is_none());
    });
}

#[test]
fn sockets_that_do_not_listen_have_nothing_to_lose() {
    on_a_host(|| {
        let server = TcpListener::bind("127.0.0.1:80").unwrap();
        // A number and nothing more.
        let idle = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(idle.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, 1001)).unwrap();
        assert_eq!(taken(Protocol::Tcp, 1001), [""; 0]);
        // A connection, and what is left of one. Whoever closes first keeps it for a minute.
        let client = TcpStream::connect("127.0.0.1:80").unwrap();
        let port = client.local_addr().unwrap().port();
        let (accepted, _) = server.accept().unwrap();
        assert_eq!(taken(Protocol::Tcp, port), [""; 0]);
        drop(client);
        drop(accepted);
        assert_eq!(taken(Protocol::Tcp, port), [""; 0]);
        // A datagram socket with a peer hears nobody else.
        let _resolver = UdpSocket::bind("127.0.0.1:53").unwrap();
        let asking = UdpSocket::bind("127.0.0.1:1002").unwrap();
        assert_eq!(taken(Protocol::Udp, 1002), ["", "0.0.0.0", "127.0.0.1"]);
        asking.connect("127.0.0.1:53").unwrap();
        assert_eq!(taken(Protocol::Udp, 1002), [""; 0]);
    });
}

#[test]
fn the_first_port_that_is_taken_is_told_of_many() {
    on_a_host(|| {
        let wanted: Vec<_> = (1000..3000)
            .map(|number| Wanted {
                protocol: if number % 2 == 0 { Protocol::Tcp } else { Protocol::Udp },
                host_address: HostAddress::Any,
                port: Port::new(number).unwrap(),
            })
            .collect();
        assert_eq!(find_any(&[]).unwrap(), None);
        assert_eq!(find_any(&wanted).unwrap(), None);
        let _last = UdpSocket::bind("[::1]:2999").unwrap();
        assert_eq!(find_any(&wanted).unwrap().unwrap().0, wanted[1999]);
        let _between = TcpListener::bind("127.0.0.1:2500").unwrap();
        let (found, listener) = find_any(&wanted).unwrap().unwrap();
        assert_eq!((found, listener.address.port()), (wanted[1500], 2500));
        // The other protocol's port of that number is free.
        let _other = UdpSocket::bind("127.0.0.1:2000").unwrap();
        assert_eq!(find_any(&wanted).unwrap().unwrap().0, wanted[1500]);
    });
}

#[test]
fn a_process_that_may_listen_is_passed_over_and_asked_about_once() {
    on_a_host(|| {
        let listeners: Vec<_> =
            (1000..1010).map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap()).collect();
        let wanted: Vec<_> = (1000..2000)
            .map(|number| Wanted {
                protocol: Protocol::Tcp,
                host_address: HostAddress::Any,
                port: Port::new(number).unwrap(),
            })
            .collect();
        let mut asked = 0;
        let found = find_any_but(&wanted, |listener| {
            asked += 1;
            listener.pid == i32::try_from(std::process::id()).ok()
        });
        assert_eq!((found.unwrap(), asked), (None, 1));
        assert_eq!(find_any_but(&wanted, |_| false).unwrap().unwrap().0, wanted[0]);
        drop(listeners);
    });
}

#[test]
fn the_process_and_its_program_are_named() {
    let host = match Host::new("alpha") {
        Ok(host) => host,
        Err(error) => return tools::skip(&error.to_string()),
    };
    let netns = Netns::open(format!("/proc/{}/ns/net", host.pid())).unwrap();
    for (transport, protocol) in [(Transport::Tcp, Protocol::Tcp), (Transport::Udp, Protocol::Udp)] {
        let address = "127.0.0.1:7".parse().unwrap();
        let server = traffic::serve(&host, transport, address).unwrap();
        let found = netns.run(|| who(protocol, "", 7)).unwrap().unwrap();
        assert_eq!((found.protocol, found.address), (protocol, address));
        assert_eq!(found.program.as_deref(), Some("lab-probe"));
        let executable = std::fs::read_link(format!("/proc/{}/exe", found.pid.unwrap())).unwrap();
        assert_eq!(executable.file_name(), tools::probe().unwrap().file_name());
        drop(server);
        assert_eq!(netns.run(|| who(protocol, "", 7)).unwrap(), None);
    }
}

const HIDDEN: &str = "LISTENERS_TEST_HIDDEN";

#[test]
fn a_process_that_is_hidden_from_the_caller_is_a_listener_without_a_name() {
    if std::env::var_os(HIDDEN).is_some() {
        let found = who(Protocol::Tcp, "", 80).unwrap();
        assert_eq!(
            (found.address.to_string().as_str(), found.pid, found.program),
            ("127.0.0.1:80", None, None)
        );
        return;
    }
    let Some(unshare) = tools::require("unshare") else { return };
    on_a_host(|| {
        let _server = TcpListener::bind("127.0.0.1:80").unwrap();
        // The same test once more, as somebody without rights over this process.
        let itself = std::env::current_exe().unwrap();
        let name = "a_process_that_is_hidden_from_the_caller_is_a_listener_without_a_name";
        let output = Command::new(unshare)
            .args(["--user", "--"])
            .arg(itself)
            .args(["--exact", name])
            .env(HIDDEN, "yes")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    });
}

#[test]
fn callers_that_ask_at_the_same_time_do_not_see_each_other() {
    on_a_host(|| {
        let here = Netns::current().unwrap();
        let ask =
            || here.run(|| (0..1000).find_map(|_| who(Protocol::Udp, "", 53).or(who(Protocol::Tcp, "", 53))));
        let found: Vec<_> = thread::scope(|scope| {
            let threads = [scope.spawn(ask), scope.spawn(ask)];
            threads.map(|thread| thread.join().unwrap().unwrap()).into()
        });
        assert_eq!(found, [None, None]);
    });
}

#[test]
fn asking_hinders_nobody_who_starts_to_listen() {
    on_a_host(|| {
        let here = Netns::current().unwrap();
        let ports = 1000..1200;
        thread::scope(|scope| {
            let asked = ports.clone();
            let asking =
                scope.spawn(|| here.run(|| asked.for_each(|port| drop(who(Protocol::Udp, "", port)))));
            // Each port once: a socket lives on for a moment while others look at it.
            let servers: Vec<_> = ports.map(|port| UdpSocket::bind(("0.0.0.0", port))).collect();
            asking.join().unwrap().unwrap();
            assert!(servers.iter().all(Result::is_ok));
        });
    });
}

#[test]
fn a_kernel_without_ipv6_or_sctp_has_nobody_who_listens_there() {
    on_a_host(|| {
        std::fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        assert_eq!(taken(Protocol::Tcp, 80), [""; 0]);
        let _v4 = TcpListener::bind("0.0.0.0:80").unwrap();
        assert_eq!(taken(Protocol::Tcp, 80), ["", "0.0.0.0", "127.0.0.1", "10.0.0.1", "10.0.0.9"]);
        // As long as nobody has made such a socket the module is not even loaded.
        assert_eq!(taken(Protocol::Sctp, 80), [""; 0]);
    });
}
