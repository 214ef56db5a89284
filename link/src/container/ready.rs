//! Waiting until IPv6 addresses can be used.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use netlink::packet::AddressFamily;
use netlink::{Address, AddressState, Event, Group, Label, RouteSocket, Watch};
use vocab::InterfaceName;

use super::{ContainerSpec, Duplicates, Error};

/// Without detection the kernel needs microseconds, on a busy machine some milliseconds.
const LIMIT_TRUSTED: Duration = Duration::from_millis(200);
/// With detection it waits for up to a second, asks, and waits for another one.
const LIMIT_DETECTED: Duration = Duration::from_secs(5);

/// Addresses that cannot be used yet.
pub(super) struct Pending {
    watch: Watch,
    index: u32,
    name: InterfaceName,
    addresses: Vec<Ipv6Addr>,
    duplicates: Duplicates,
}

impl Pending {
    /// Begins to listen for what becomes of the IPv6 addresses of `spec`, if it has any.
    pub(super) fn listen(spec: &ContainerSpec) -> Result<Option<Self>, Error> {
        let addresses: Vec<_> = spec.ips.iter().filter_map(|ip| as_ipv6(ip.address.ip())).collect();
        if addresses.is_empty() {
            return Ok(None);
        }
        let watch = Watch::open(&[Group::Ipv6Addresses])?;
        let (index, name, duplicates) = (spec.index, spec.name.clone(), spec.duplicates);
        Ok(Some(Self { watch, index, name, addresses, duplicates }))
    }

    /// Waits until each address is ready. Without detection an address that takes too long is no error: it will be
    /// ready, and only the first packet to it is at stake.
    pub(super) fn wait(&mut self, container: &mut RouteSocket) -> Result<(), Error> {
        let limit = match self.duplicates {
            Duplicates::Trust => LIMIT_TRUSTED,
            Duplicates::Detect => LIMIT_DETECTED,
        };
        let deadline = Instant::now() + limit;
        while let Some(address) = self.addresses.last().copied() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next_event(left)? {
                Some(Event::Address(told)) => self.note(&told)?,
                Some(Event::Lost) => {
                    for address in container.list_addresses(AddressFamily::Inet6, self.index)? {
                        self.note(&address)?;
                    }
                }
                Some(_) => {}
                None if self.duplicates == Duplicates::Trust => return Ok(()),
                None => return Err(Error::NotReady { name: self.name.clone(), address, limit }),
            }
        }
        Ok(())
    }

    fn next_event(&mut self, left: Duration) -> Result<Option<Event>, Error> {
        let label = Label::new("wait for the addresses of", &self.name);
        Ok(self.watch.wait_for(left, &label, Some)?)
    }

    fn note(&mut self, told: &Address) -> Result<(), Error> {
        let Some(address) = as_ipv6(told.network.ip()).filter(|_| told.index == self.index) else {
            return Ok(());
        };
        if !self.addresses.contains(&address) {
            return Ok(());
        }
        match told.state {
            AddressState::Ready => self.addresses.retain(|pending| *pending != address),
            AddressState::Duplicate => return Err(Error::Duplicate { name: self.name.clone(), address }),
            AddressState::Tentative => {}
        }
        Ok(())
    }
}

fn as_ipv6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V6(v6) => Some(v6),
        IpAddr::V4(_) => None,
    }
}
