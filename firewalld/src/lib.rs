//! Talk to firewalld: which zone the packets of an address belong to.
//!
//! On a host where firewalld is in charge, what others allow in tables of their own is still dropped in its. It must
//! be asked to put a container's address into a zone; it does so until it is reloaded. It is asked over the system
//! D-Bus ([`bus`]), within [`PATIENCE`]: a pod does not wait for ever for a bus that hangs.

mod address;
pub mod bus;
mod error;
mod wire;

use std::time::Duration;

use ipnetwork::IpNetwork;

pub use address::{Address, InvalidAddress};
pub use error::{Error, Request};

use bus::{Bus, Call, DBUS};
use error::Code;
use wire::Reply;

/// How long one answer may take. firewalld needs some 15 ms for a source.
pub const PATIENCE: Duration = Duration::from_secs(5);

const SERVICE: &str = "org.fedoraproject.FirewallD1";
const PATH: &str = "/org/fedoraproject/FirewallD1";
const ZONE: &str = "org.fedoraproject.FirewallD1.zone";

/// A connection to a firewalld that runs.
#[derive(Debug)]
pub struct Connection {
    bus: Bus,
}

/// What became of a source that should be in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Added {
    /// It was added.
    Now,
    /// It was there.
    Before,
}

/// What became of a source that should not be in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It was there and is gone.
    Now,
    /// It was not there: in no zone, in another, or there is no such zone.
    Before,
}

impl Connection {
    /// Opens a connection to the firewalld of this host; nothing, if none runs: there is no bus, or nobody on it is
    /// called so. The bus is where `DBUS_SYSTEM_BUS_ADDRESS` says, or `/run/dbus/system_bus_socket`.
    ///
    /// # Errors
    /// [`Error::Address`] when the variable cannot be understood, [`Error::Bus`] when the bus does not answer.
    pub fn open() -> Result<Option<Self>, Error> {
        Self::open_at(&Address::of_system_bus()?)
    }

    /// Opens a connection to the firewalld on the first of these buses that there is.
    ///
    /// # Errors
    /// As with [`open`](Self::open).
    pub fn open_at(addresses: &[Address]) -> Result<Option<Self>, Error> {
        for address in addresses {
            let opened = Bus::open(address, PATIENCE);
            let opened = opened.map_err(|source| Error::Bus { request: Request::Connect, source })?;
            let Some(bus) = opened else { continue };
            let mut connection = Self { bus };
            return Ok(connection.is_running()?.then_some(connection));
        }
        Ok(None)
    }

    /// Whether firewalld is there. Others are not started by asking for them like that.
    fn is_running(&mut self) -> Result<bool, Error> {
        let call = Call { member: "NameHasOwner", arguments: &[SERVICE], ..DBUS };
        self.ask(Request::Connect, &call, Reply::boolean)
    }

    /// Puts packets from and to a source into a zone. An empty name is the default zone, here and elsewhere.
    ///
    /// # Errors
    /// [`Error::NoZone`], [`Error::OtherZone`], or [`Error::Bus`]; then nothing was added.
    pub fn add_source(&mut self, zone: &str, source: IpNetwork) -> Result<Added, Error> {
        let request = Request::Add { source, zone: zone.to_owned() };
        match self.call_zone(request, "addSource", &[zone, &text(source)], Reply::text) {
            Ok(_) => Ok(Added::Now),
            Err(error) if error.code() == Some(Code::AlreadySet) => Ok(Added::Before),
            Err(error) if error.code() == Some(Code::Conflict) => match self.zone_of_source(source)? {
                Some(other) if other == zone => Ok(Added::Before),
                Some(other) => Err(Error::OtherZone { address: source, zone: zone.to_owned(), other }),
                None => Err(error),
            },
            Err(error) => Err(self.explain(zone, error)),
        }
    }

    /// Takes a source out of a zone, where it may never have been.
    ///
    /// # Errors
    /// [`Error::Bus`].
    pub fn remove_source(&mut self, zone: &str, source: IpNetwork) -> Result<Removed, Error> {
        let request = Request::Remove { source, zone: zone.to_owned() };
        match self.call_zone(request, "removeSource", &[zone, &text(source)], Reply::text) {
            Ok(_) => Ok(Removed::Now),
            Err(error) => match error.code() {
                Some(Code::UnknownSource | Code::Conflict | Code::InvalidZone) => Ok(Removed::Before),
                _ => Err(error),
            },
        }
    }

    /// Whether a source is in a zone.
    ///
    /// # Errors
    /// [`Error::NoZone`] or [`Error::Bus`].
    pub fn has_source(&mut self, zone: &str, source: IpNetwork) -> Result<bool, Error> {
        let request = Request::Find { source, zone: zone.to_owned() };
        let found = self.call_zone(request, "querySource", &[zone, &text(source)], Reply::boolean);
        found.map_err(|error| self.explain(zone, error))
    }

    /// The zone that a source is in.
    ///
    /// # Errors
    /// [`Error::Bus`].
    pub fn zone_of_source(&mut self, source: IpNetwork) -> Result<Option<String>, Error> {
        let request = Request::FindZone { source };
        let zone = self.call_zone(request, "getZoneOfSource", &[&text(source)], Reply::text)?;
        Ok(Some(zone).filter(|zone| !zone.is_empty()))
    }

    /// The zone of whatever is in no other.
    ///
    /// # Errors
    /// [`Error::Bus`].
    pub fn default_zone(&mut self) -> Result<String, Error> {
        let call = Call {
            destination: SERVICE,
            path: PATH,
            interface: SERVICE,
            member: "getDefaultZone",
            arguments: &[],
        };
        self.ask(Request::DefaultZone, &call, Reply::text)
    }

    /// All zones.
    ///
    /// # Errors
    /// [`Error::Bus`].
    pub fn zones(&mut self) -> Result<Vec<String>, Error> {
        self.call_zone(Request::Zones, "getZones", &[], Reply::texts)
    }

    /// Tells which zones there are, if that is what is wrong.
    fn explain(&mut self, zone: &str, error: Error) -> Error {
        if error.code() != Some(Code::InvalidZone) {
            return error;
        }
        match self.zones() {
            Ok(zones) => Error::NoZone { zone: zone.to_owned(), zones },
            Err(_) => error,
        }
    }

    fn call_zone<T>(
        &mut self,
        request: Request,
        member: &str,
        arguments: &[&str],
        read: impl FnOnce(&Reply) -> Option<T>,
    ) -> Result<T, Error> {
        let call = Call { destination: SERVICE, path: PATH, interface: ZONE, member, arguments };
        self.ask(request, &call, read)
    }

    fn ask<T>(
        &mut self,
        request: Request,
        call: &Call<'_>,
        read: impl FnOnce(&Reply) -> Option<T>,
    ) -> Result<T, Error> {
        let answer = self.bus.call(call).and_then(|reply| read(&reply).ok_or(bus::Error::Malformed));
        answer.map_err(|source| Error::Bus { request, source })
    }
}

/// A source as it is written everywhere: firewalld takes 10.22.0.5 and 10.22.0.5/32 for two. The bits of the host's part
/// do not count.
fn text(source: IpNetwork) -> String {
    format!("{}/{}", source.network(), source.prefix())
}
