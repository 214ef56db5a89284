//! firewalld: the one place that knows how it is asked.
//!
//! The crate `firewalld` speaks to it on the system bus; [`Zones`] is what the plugin needs of a connection, so that
//! the tests need no bus.

use firewall::Ensured;
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

/// Why firewalld was not asked, or refused.
#[derive(Debug, thiserror::Error)]
#[error("{operation}")]
pub(crate) struct Error {
    /// What was tried.
    pub(crate) operation: String,
    /// Why it failed.
    pub(crate) source: Box<dyn std::error::Error + Send + Sync>,
}

/// The firewalld of this host; `None` when there is no system bus, or no firewalld on it.
///
/// TO BE WIRED: `firewalld::Connection::open`, with an `impl Zones for firewalld::Connection` beside it. Until then
/// firewalld is not looked for, and a configuration that asks for it by name is refused.
pub(crate) fn open() -> Result<Option<Box<dyn Zones>>, Error> {
    Ok(None)
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
