//! What a host keeps that it should not.

use crate::stage::Stage;
use lab::{Except, Snapshot, Topic, snapshot};
use std::thread;
use std::time::{Duration, Instant};

/// A host at one moment, to be compared with a later one.
#[derive(Debug)]
pub struct Before<'a> {
    stage: &'a Stage,
    snapshot: Snapshot,
}

/// What may have changed.
///
/// In every case the books of host-local may: `lock` and `last_reserved_ip.N`, which the reference keeps as
/// well, and our hints below `/run/netctl`, which die with the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed<'a> {
    /// Nothing else.
    Books,
    /// What belongs to the network and not to a container: the bridge itself, the constant part of our tables,
    /// and forwarding.
    Network(&'a str),
    /// The same on the host of a client that keeps going after its last container: the chains of iptables that the
    /// plugin `firewall` shares among all containers, as the reference does, and the folders where namespaces and libcni's
    /// results are.
    Client(&'a str),
    /// The constant part of our tables, and forwarding.
    Constants,
    /// Forwarding: nobody knows who else needs it.
    Forwarding,
}

/// Links vanish some 20 ms after they were removed, and a child that waits for that may outlive its parent.
const SETTLE: Duration = Duration::from_secs(3);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// What changes in the settings of every link when forwarding is switched on.
const FORWARDING: [&str; 4] =
    ["net/ipv4/ip_forward", "/forwarding:", "/accept_redirects:", "/mc_forwarding:"];

impl<'a> Before<'a> {
    /// Looks at the host, once the children of plugins and `netctl` have ended that wait for the kernel.
    ///
    /// # Errors
    /// As [`Snapshot::take`].
    pub fn of(stage: &'a Stage) -> Result<Self, snapshot::Error> {
        let deadline = Instant::now() + SETTLE;
        let plugins = stage.plugins().path().display().to_string();
        loop {
            let snapshot = Snapshot::take(stage.host())?;
            let drivers = ["/netctl ", "/lifecycle "];
            let is_ours = |process: &str| {
                process.contains(&plugins) || drivers.iter().any(|driver| process.contains(driver))
            };
            let is_at_rest = !snapshot.facts(Topic::Process).any(is_ours);
            if is_at_rest || Instant::now() > deadline {
                return Ok(Self { stage, snapshot });
            }
            thread::sleep(PAUSE);
        }
    }

    /// What the host has more or less than before, once it has come to rest; empty if all is well.
    ///
    /// # Errors
    /// As [`Snapshot::take`].
    pub fn changes(&self, allowed: Allowed<'_>) -> Result<Vec<String>, snapshot::Error> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let now = Snapshot::take(self.stage.host())?;
            let left = self.difference(&now, allowed);
            if left.is_empty() || Instant::now() > deadline {
                return Ok(left);
            }
            thread::sleep(PAUSE);
        }
    }

    fn difference(&self, now: &Snapshot, allowed: Allowed<'_>) -> Vec<String> {
        let mut except = vec![
            Except::Text(Topic::File, "/lock "),
            Except::Text(Topic::File, "/last_reserved_ip."),
            Except::Text(Topic::File, "/var/lib/cni/networks folder"),
            Except::Text(Topic::File, "/run/netctl"),
        ];
        if let Allowed::Network(bridge) | Allowed::Client(bridge) = allowed {
            except.push(Except::Interface(bridge));
        }
        if let Allowed::Client(_) = allowed {
            except.push(Except::Text(Topic::File, "/var/lib/cni/results folder"));
            except.push(Except::Text(Topic::File, "/run/netns folder"));
            except.push(Except::Text(Topic::Mount, "/run/netns tmpfs"));
        }
        if allowed != Allowed::Books {
            except.extend(FORWARDING.map(|text| Except::Text(Topic::Sysctl, text)));
        }
        let mut lines = self.snapshot.difference(now, &except);
        let constants = matches!(allowed, Allowed::Network(_) | Allowed::Client(_) | Allowed::Constants);
        lines.retain(|line| !is_folder_of_leases(line) && !is_link_local(line));
        if constants {
            lines.retain(|line| !is_constant(line));
        }
        if allowed != Allowed::Books {
            lines.retain(|line| !is_of_a_router(line));
        }
        if matches!(allowed, Allowed::Client(_)) {
            lines.retain(|line| !is_shared_by_containers(line));
        }
        lines
    }
}

/// A network's folder below `/var/lib/cni/networks`, as opposed to what is in it.
fn is_folder_of_leases(line: &str) -> bool {
    line.strip_prefix("new file: /var/lib/cni/networks/").is_some_and(|rest| rest.ends_with(" folder 0755"))
}

/// A route of a link's own link-local address. The kernel makes it when it has found that nobody else has the address,
/// a second or two after the link came up; whether the link is there is compared by itself.
fn is_link_local(line: &str) -> bool {
    line.contains(" route: ") && line.contains(" fe80::") && line.contains(" proto kernel ")
}

/// A route that the kernel makes for each subnet of a host that forwards IPv6: routers hear their anycast address.
fn is_of_a_router(line: &str) -> bool {
    line.starts_with("new route: anycast ") && line.contains(" proto kernel ")
}

/// A line of our tables that is the same whatever networks and containers there are.
fn is_constant(line: &str) -> bool {
    let ours = ["new nftables: table inet netctl", "new nftables: table bridge netctl"];
    ours.iter().any(|table| line.starts_with(table)) && !line.contains(" element ")
}

/// A line of the filter tables, be it told by nftables or by iptables, that is no single address's.
fn is_shared_by_containers(line: &str) -> bool {
    let tables = [
        "new nftables: table ip filter",
        "new nftables: table ip6 filter",
        "new iptables: iptables filter",
        "new iptables: ip6tables filter",
    ];
    let of_an_address = [" saddr ", " daddr ", " -s ", " -d "];
    tables.iter().any(|table| line.starts_with(table))
        && !of_an_address.iter().any(|words| line.contains(words))
}
