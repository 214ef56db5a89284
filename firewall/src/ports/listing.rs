//! Listing: all published ports of the host.

use super::claim::MAPS;
use super::{Error, PublishedPort};
use crate::firewall::Firewall;
use crate::skeleton::PACKETS;
use crate::table;

impl Firewall {
    /// All published ports, whoever has them.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn list_ports(&mut self) -> Result<Vec<PublishedPort>, Error> {
        let ports = self.attempt(|channel| {
            let mut ports = Vec::new();
            for set in MAPS {
                let elements = table::elements(channel, &PACKETS, set)?;
                ports.extend(elements.iter().filter_map(|element| PublishedPort::read(set, element)));
            }
            ports.sort_unstable();
            Ok(ports)
        });
        ports.map_err(|source| Error::List { source })
    }
}
