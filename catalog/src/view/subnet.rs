//! A subnet of a network, and the part of it that containers get.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use subnet::{Family, bits, step};

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The subnet.
    pub subnet: IpNetwork,
    /// The containers' router.
    pub gateway: Option<IpAddr>,
    /// The first and the last address that containers get, when that is not all of it.
    pub range: Option<(IpAddr, IpAddr)>,
}

impl Subnet {
    pub(super) fn new(subnet: IpNetwork, gateway: Option<IpAddr>, range: (IpAddr, IpAddr)) -> Self {
        let mut new = Self { subnet, gateway, range: None };
        new.narrow(range);
        new
    }

    /// Adds another range of the same subnet.
    pub(super) fn join(&mut self, other: &Self) {
        let ((a, b), (c, d)) = (self.ends(), other.ends());
        self.narrow((a.min(c), b.max(d)));
        self.gateway = self.gateway.or(other.gateway);
    }

    /// Notes a range, unless it is all that a host may have of the subnet anyway, or none.
    fn narrow(&mut self, (first, last): (IpAddr, IpAddr)) {
        let (from, to) = subnet::hosts(self.subnet);
        let is_part = (first > from || last < to) && first <= last;
        self.range = is_part.then_some((first, last));
    }

    fn ends(&self) -> (IpAddr, IpAddr) {
        self.range.unwrap_or((self.subnet.network(), self.subnet.broadcast()))
    }

    /// How many containers there is room for, as host-local counts.
    pub(crate) fn room(&self) -> u128 {
        let (first, last) = self.ends();
        let all = bits(last).saturating_sub(bits(first)).saturating_add(1);
        // A gateway that is not named is the first address.
        let gateway = self.gateway.unwrap_or_else(|| subnet::hosts(self.subnet).0);
        let broadcast = self.subnet.is_ipv4().then_some(self.subnet.broadcast());
        let mut nobodys = vec![self.subnet.network(), gateway];
        nobodys.extend(broadcast);
        nobodys.sort_unstable();
        nobodys.dedup();
        nobodys.retain(|address| (first..=last).contains(address));
        all.saturating_sub(nobodys.len() as u128)
    }

    /// The range in Docker's form: a network, when the addresses are one but for its ends.
    #[must_use]
    pub fn range_text(&self) -> Option<String> {
        let (first, last) = self.range?;
        let lengths = self.subnet.prefix()..=Family::of(first).width();
        let networks = lengths.rev().filter_map(|length| IpNetwork::new(first, length).ok().map(subnet::of));
        let whole = networks.into_iter().find(|network| network.contains(last))?;
        let (from, to) = (whole.network(), whole.broadcast());
        let fits = (first == from || first == step(from, 1)) && (last == to || last == step(to, -1));
        Some(if fits { whole.to_string() } else { format!("{first}-{last}") })
    }
}
