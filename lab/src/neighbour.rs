//! Hosts next door: the outside clients and servers of a host.

use crate::host::{self, Host};
use crate::outcome::Unexpected;
use crate::place::Place;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// A host at the other end of a cable.
///
/// The host's end is called `uplink` and has 10.99.0.1/24 and fd99::1/64, the neighbour's is called `eth0`
/// and has 10.99.0.2 and fd99::2. The host's default routes lead to the neighbour. The neighbour knows
/// no way to the containers of the host, so that an answer proves masquerade; [`learn`](Self::learn) tells it.
#[derive(Debug)]
pub struct Neighbour {
    host: Host,
    number: u8,
}

/// A neighbour could not be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Host(#[from] host::Error),
    #[error("lay a cable to neighbour {name}")]
    Cable { name: String, source: Unexpected },
}

impl Neighbour {
    /// Makes the neighbour that holds the default routes of `host`.
    ///
    /// # Errors
    /// Another host cannot be made, or `host` has such a neighbour already.
    pub fn of(host: &Host, name: &str) -> Result<Self, Error> {
        Self::numbered(host, name, 0)
    }

    /// Makes a further neighbour: `uplink1`, 10.99.1.1/24 and fd99:0:0:1::1/64 for number 1, and so on. Only
    /// number 0 gets the default routes.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn numbered(host: &Host, name: &str, number: u8) -> Result<Self, Error> {
        let neighbour = Self { host: Host::new(name)?, number };
        match neighbour.lay_cable(host) {
            Ok(()) => Ok(neighbour),
            Err(source) => Err(Error::Cable { name: name.to_owned(), source }),
        }
    }

    fn lay_cable(&self, host: &Host) -> Result<(), Unexpected> {
        let uplink = self.host_interface();
        // By a process of the machine's pid namespace: the only one in which both hosts have a number.
        let peer = format!("peer name eth0 netns {}", self.host.pid());
        Cabler(host.pid()).sh(&format!("ip link add {uplink} type veth {peer}")).ok()?;
        self.host.sh(&script("eth0", self.v4(), self.v6(), None)).ok()?;
        let gateway = (self.number == 0).then(|| (self.v4(), self.v6()));
        host.sh(&script(&uplink, self.host_v4(), self.host_v6(), gateway)).ok()?;
        Ok(())
    }

    /// Tells the neighbour that `subnet`, of either family, is behind the host.
    ///
    /// # Errors
    /// As `ip route` tells.
    #[track_caller]
    pub fn learn(&self, subnet: &str) -> Result<(), Unexpected> {
        let via = if subnet.contains(':') { self.host_v6().to_string() } else { self.host_v4().to_string() };
        self.run(["ip", "route", "add", subnet, "via", &via]).ok().map(drop)
    }

    /// The host's end of the cable.
    #[must_use]
    pub fn host_interface(&self) -> String {
        if self.number == 0 { "uplink".to_owned() } else { format!("uplink{}", self.number) }
    }

    /// The neighbour's IPv4 address.
    #[must_use]
    pub fn v4(&self) -> IpAddr {
        Ipv4Addr::new(10, 99, self.number, 2).into()
    }

    /// The neighbour's IPv6 address.
    #[must_use]
    pub fn v6(&self) -> IpAddr {
        Ipv6Addr::new(0xfd99, 0, 0, self.number.into(), 0, 0, 0, 2).into()
    }

    /// The host's IPv4 address on this cable.
    #[must_use]
    pub fn host_v4(&self) -> IpAddr {
        Ipv4Addr::new(10, 99, self.number, 1).into()
    }

    /// The host's IPv6 address on this cable.
    #[must_use]
    pub fn host_v6(&self) -> IpAddr {
        Ipv6Addr::new(0xfd99, 0, 0, self.number.into(), 0, 0, 0, 1).into()
    }
}

impl Place for Neighbour {
    fn entrance(&self) -> Vec<OsString> {
        self.host.entrance()
    }

    fn root(&self) -> PathBuf {
        self.host.root()
    }
}

/// The network namespace of a host and nothing else of it.
struct Cabler(i32);

impl Place for Cabler {
    fn entrance(&self) -> Vec<OsString> {
        ["nsenter", "-t", &self.0.to_string(), "-n", "--"].iter().map(OsString::from).collect()
    }

    fn root(&self) -> PathBuf {
        PathBuf::from("/")
    }
}

/// What one end has to do. A link-local address would be tentative for a second; and an address becomes
/// able to receive in a work item of the kernel some time after it is there, so the script waits for the route.
fn script(link: &str, v4: IpAddr, v6: IpAddr, gateway: Option<(IpAddr, IpAddr)>) -> String {
    let mut lines = vec![
        format!("ip addr add {v4}/24 dev {link}"),
        "v6=/proc/sys/net/ipv6/conf".to_owned(),
        format!("[ ! -e $v6 ] || echo 0 >$v6/{link}/accept_dad"),
        format!("[ ! -e $v6 ] || ip addr add {v6}/64 dev {link} nodad"),
        format!("ip link set {link} up"),
    ];
    if let Some((v4, v6)) = gateway {
        lines.push(format!("ip route add default via {v4}"));
        lines.push(format!("[ ! -e $v6 ] || ip route add default via {v6}"));
    }
    lines.push(format!(
        "for try in 1 2 3 4 5 6 7 8 9; do [ -z \"$(ip -6 route show table local {v6})\" ] || break; done"
    ));
    lines.join("\n")
}
