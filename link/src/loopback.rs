//! The loopback interface of a namespace.

use netlink::packet::link::LinkFlags;
use netlink::{Address, Batch, Error, Label, Link, LinkName, RouteSocket};

use crate::container::LOOPBACK_INDEX;
use crate::message::{numbered, switch_off, switch_on};

/// The loopback interface as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    /// What the kernel says of it.
    pub link: Link,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<Address>,
}

/// Looks at it.
///
/// # Errors
/// What the kernel says.
pub fn find(socket: &mut RouteSocket) -> Result<Loopback, Error> {
    let link = socket.expect_link(LinkName::Index(LOOPBACK_INDEX))?;
    Ok(Loopback { link, addresses: socket.addresses_of(LOOPBACK_INDEX)? })
}

/// Switches it on, if it is off. The kernel gives it its addresses.
///
/// # Errors
/// What the kernel says.
pub fn ensure_up(socket: &mut RouteSocket) -> Result<Loopback, Error> {
    switch(socket, "switch on", true)?;
    find(socket)
}

/// Switches it off, if it is on.
///
/// # Errors
/// What the kernel says.
pub fn ensure_down(socket: &mut RouteSocket) -> Result<(), Error> {
    switch(socket, "switch off", false)
}

fn switch(socket: &mut RouteSocket, operation: &'static str, on: bool) -> Result<(), Error> {
    let mut message = numbered(LOOPBACK_INDEX);
    match on {
        true => switch_on(&mut message, LinkFlags::Up),
        false => switch_off(&mut message, LinkFlags::Up),
    }
    let mut batch = Batch::new();
    batch.set_link(Label::new(operation, "lo"), &message);
    socket.run(batch).map(drop)
}
