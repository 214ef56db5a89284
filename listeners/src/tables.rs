//! Sockets that listen, read from `/proc/net`: for a kernel that has no netlink for it (`CONFIG_INET_DIAG`, or the
//! module cannot be loaded any more).
//!
//! The tables do not tell whether a socket at `[::]` takes IPv4's packets. Most do, so it is taken for one that does: to
//! refuse a port that could be had does less harm than to take one away.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use vocab::{PortRange, Protocol};

use crate::Error;
use crate::socket::{Family, Socket};

/// `TCP_LISTEN` and `TCP_CLOSE` as the tables write them.
const LISTEN: &str = "0A";
const CLOSE: &str = "07";

/// The sockets of the calling thread's network namespace that listen at a port of the range.
pub(crate) fn listening(protocol: Protocol, family: Family, range: PortRange) -> Result<Vec<Socket>, Error> {
    let (name, state) = match (protocol, family) {
        (Protocol::Tcp, Family::V4) => ("tcp", LISTEN),
        (Protocol::Tcp, Family::V6) => ("tcp6", LISTEN),
        (Protocol::Udp, Family::V4) => ("udp", CLOSE),
        (Protocol::Udp, Family::V6) => ("udp6", CLOSE),
        // The kernel answers ENOENT also when nobody has used SCTP since it was started.
        (Protocol::Sctp, _) => return Ok(Vec::new()),
    };
    // `/proc/net` would be that of the process's first thread.
    let path = PathBuf::from("/proc/thread-self/net").join(name);
    match std::fs::read_to_string(&path) {
        Ok(table) => Ok(read_all(&table, state, range)),
        // A kernel without IPv6.
        Err(source) if source.kind() == ErrorKind::NotFound && family == Family::V6 => Ok(Vec::new()),
        Err(source) => Err(Error::Table { path, source }),
    }
}

fn read_all(table: &str, state: &str, range: PortRange) -> Vec<Socket> {
    let ports = range.first().get()..=range.last().get();
    let sockets = table.lines().skip(1).filter_map(|line| read(line, state));
    sockets.filter(|socket| ports.contains(&socket.address.port())).collect()
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …`
fn read(line: &str, wanted: &str) -> Option<Socket> {
    let mut words = line.split_ascii_whitespace();
    let (address, port) = words.nth(1)?.split_once(':')?;
    let state = words.nth(1)?;
    let inode = words.nth(5)?.parse().ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    (state == wanted).then(|| Some(Socket::new(read_address(address)?, port, false, inode)))?
}

/// The bytes of an address, in groups of four which are written as numbers of this machine.
fn read_address(text: &str) -> Option<IpAddr> {
    let groups = text.as_bytes().chunks(8).map(|group| {
        let number = u32::from_str_radix(std::str::from_utf8(group).ok()?, 16).ok()?;
        Some(number.to_ne_bytes())
    });
    let bytes = groups.collect::<Option<Vec<_>>>()?.concat();
    if let Ok(v4) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(v4).into());
    }
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag;
    use netns::Netns;
    use std::net::{TcpListener, UdpSocket};
    use vocab::Port;

    #[test]
    fn a_malformed_line_is_no_socket() {
        let line =
            "  1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1";
        if cfg!(target_endian = "little") {
            let expected = Socket::new(Ipv4Addr::LOCALHOST.into(), 22, false, 77);
            assert_eq!(read(line, LISTEN), Some(expected));
        }
        assert_eq!(read(line, CLOSE), None);
        for broken in ["", "1:", "  1: 0100007F 0:0 0A 0 0 0 0 0 77", "1: X:0016 0:0 0A 0 0 0 0 0 77"] {
            assert_eq!(read(broken, LISTEN), None, "{broken:?}");
        }
    }

    #[test]
    fn both_ways_to_ask_tell_the_same() {
        let Some(_ip) = lab::tools::require("ip") else { return };
        let host = match Netns::create() {
            Ok(host) => host,
            Err(error) => return lab::tools::skip(&format!("{error} (it takes root)")),
        };
        let range = PortRange::new(Port::new(1000).unwrap(), Port::new(2000).unwrap()).unwrap();
        host.run(|| {
            assert!(
                std::process::Command::new("ip")
                    .args(["link", "set", "lo", "up"])
                    .status()
                    .unwrap()
                    .success()
            );
            let _tcp = ["0.0.0.0:1001", "[::]:1002"].map(|at| TcpListener::bind(at).unwrap());
            let _udp = ["0.0.0.0:1003", "[::]:1004"].map(|at| UdpSocket::bind(at).unwrap());
            let peer = UdpSocket::bind("0.0.0.0:1005").unwrap();
            peer.connect("127.0.0.1:1003").unwrap();
            for protocol in [Protocol::Tcp, Protocol::Udp] {
                for family in [Family::V4, Family::V6] {
                    let mut told = diag::listening(protocol, family, range).unwrap().unwrap();
                    let mut read = listening(protocol, family, range).unwrap();
                    for sockets in [&mut told, &mut read] {
                        sockets.sort_by_key(|socket| socket.address.port());
                    }
                    assert_eq!(told, read);
                    assert_eq!(told.len(), 1, "{protocol} {family:?}");
                }
            }
        })
        .unwrap();
    }
}
