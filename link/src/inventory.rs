//! Everything that a namespace has: its links, each with its addresses.

use netlink::{Address, Error, Link, RouteSocket};

/// A link with its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the kernel says of it.
    pub link: Link,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<Address>,
}

/// Lists all links with all their addresses, in the order of their numbers.
///
/// # Errors
/// What the kernel says.
pub fn list(socket: &mut RouteSocket) -> Result<Vec<Entry>, Error> {
    let mut links = socket.links()?;
    links.sort_unstable_by_key(|link| link.index);
    let all = socket.addresses()?;
    let entry = |link: Link| {
        let addresses = all.iter().filter(|address| address.index == link.index).copied().collect();
        Entry { link, addresses }
    };
    Ok(links.into_iter().map(entry).collect())
}
