//! Which way a packet to an address would go.

use std::net::IpAddr;

use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use nix::errno::Errno;

use crate::{Batch, Error, Label, Route, RouteSocket};

impl RouteSocket {
    /// The route along which the kernel would send a packet to `address`; nothing if there is none, or if the address
    /// is the host's own.
    ///
    /// # Errors
    /// When the kernel refuses for another reason than that there is no way.
    pub fn find_way(&mut self, address: IpAddr) -> Result<Option<Route>, Error> {
        let mut message = RouteMessage::default();
        let (family, bits, destination) = match address {
            IpAddr::V4(v4) => (AddressFamily::Inet, 32, RouteAddress::Inet(v4)),
            IpAddr::V6(v6) => (AddressFamily::Inet6, 128, RouteAddress::Inet6(v6)),
        };
        message.header.address_family = family;
        message.header.destination_prefix_length = bits;
        message.attributes.push(RouteAttribute::Destination(destination));
        let mut batch = Batch::new();
        let ticket = batch.find_route(Label::new("find the way to", address), &message);
        let mut replies = self.run_each(batch)?;
        match replies.refused(ticket) {
            Some(refused) if is_no_way(refused.errno) => Ok(None),
            Some(refused) => Err(refused.clone().into()),
            None => Ok(replies.take_route(ticket)),
        }
    }
}

/// What the kernel says where no route leads, of routes that lead nowhere on purpose (`ip-route(8)`), and of a family that
/// it was started without.
fn is_no_way(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::EINVAL
            | Errno::EACCES
            | Errno::EOPNOTSUPP
            | Errno::EAFNOSUPPORT
    )
}
