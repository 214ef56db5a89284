//! firewalld: the one place that knows how it is asked.
//!
//! The crate `firewalld` speaks to it on the system bus; [`Zones`] is what the plugin needs of a connection, so that
//! the tests need no bus.

use firewall::Ensured;
use firewalld::{Added, Connection, Error};
use ipnetwork::IpNetwork;

/// A firewalld that answers.
pub(crate) trait Zones {
    /// Makes a zone take packets from a network. That it does so already is fine.
    fn add_source(&mut self, zone: &str, network: IpNetwork) -> Result<Ensured, Error>;

    /// Takes a network out of a zone. That it is not in it is fine.
    fn remove_source(&mut self, zone: &str, network: IpNetwork) -> Result<(), Error>;

    /// Whether a zone takes packets from a network.
    fn has_source(&mut self, zone: &str, network: IpNetwork) -> Result<bool, Error>;
}

impl Zones for Connection {
    fn add_source(&mut self, zone: &str, network: IpNetwork) -> Result<Ensured, Error> {
        Ok(match Self::add_source(self, zone, network)? {
            Added::Now => Ensured::Added,
            Added::Before => Ensured::AlreadyThere,
        })
    }

    fn remove_source(&mut self, zone: &str, network: IpNetwork) -> Result<(), Error> {
        Self::remove_source(self, zone, network).map(drop)
    }

    fn has_source(&mut self, zone: &str, network: IpNetwork) -> Result<bool, Error> {
        Self::has_source(self, zone, network)
    }
}

/// The firewalld of this host; `None` when there is no system bus, or no firewalld on it. To find out that there is no
/// bus takes as many attempts to connect as there are places where it may be: two.
pub(crate) fn open() -> Result<Option<Box<dyn Zones>>, Error> {
    match Connection::open() {
        Ok(opened) => Ok(opened.map(|connection| Box::new(connection) as Box<dyn Zones>)),
        // It ended while we introduced ourselves.
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes addresses out of a zone. When firewalld is gone, or goes meanwhile, so are the zones of this boot.
pub(crate) fn leave(
    zones: &mut dyn Zones,
    zone: &str,
    addresses: impl IntoIterator<Item = IpNetwork>,
) -> Result<(), Error> {
    for address in addresses {
        match zones.remove_source(zone, address) {
            Err(error) if error.is_gone() => return Ok(()),
            done => done?,
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod fake {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A firewalld that remembers.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Fake(Rc<RefCell<Vec<String>>>);

    impl Fake {
        pub(crate) fn sources(&self) -> Vec<String> {
            self.0.borrow().clone()
        }
    }

    impl Zones for Fake {
        fn add_source(&mut self, zone: &str, network: IpNetwork) -> Result<Ensured, Error> {
            let source = format!("{zone} {network}");
            if self.0.borrow().contains(&source) {
                return Ok(Ensured::AlreadyThere);
            }
            self.0.borrow_mut().push(source);
            Ok(Ensured::Added)
        }

        fn remove_source(&mut self, zone: &str, network: IpNetwork) -> Result<(), Error> {
            self.0.borrow_mut().retain(|source| *source != format!("{zone} {network}"));
            Ok(())
        }

        fn has_source(&mut self, zone: &str, network: IpNetwork) -> Result<bool, Error> {
            Ok(self.0.borrow().contains(&format!("{zone} {network}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::Fake;
    use super::*;
    use firewalld::{Request, bus};

    /// A firewalld that refuses, or has ended.
    struct Refusing(fn() -> bus::Error);

    impl Zones for Refusing {
        fn add_source(&mut self, _: &str, network: IpNetwork) -> Result<Ensured, Error> {
            self.remove_source("", network).map(|()| Ensured::Added)
        }

        fn remove_source(&mut self, _: &str, _: IpNetwork) -> Result<(), Error> {
            Err(Error::Bus { request: Request::Zones, source: (self.0)() })
        }

        fn has_source(&mut self, _: &str, network: IpNetwork) -> Result<bool, Error> {
            self.remove_source("", network).map(|()| true)
        }
    }

    #[test]
    fn every_address_leaves_its_zone_unless_firewalld_has_gone_with_all_zones() {
        let addresses: [IpNetwork; 2] = ["10.1.0.2/32", "fd00::2/128"].map(|text| text.parse().unwrap());
        let mut fake = Fake::default();
        for address in addresses {
            assert_eq!(fake.add_source("work", address).unwrap(), Ensured::Added);
        }
        leave(&mut fake, "work", addresses).unwrap();
        assert_eq!(fake.sources(), Vec::<String>::new());
        leave(&mut Refusing(|| bus::Error::Closed), "work", addresses).unwrap();
        assert!(leave(&mut Refusing(|| bus::Error::Malformed), "work", addresses).is_err());
    }
}
