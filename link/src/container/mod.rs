//! The container's end: settings, addresses, routes.

mod error;
mod plan;
mod ready;

use cni::{Ip, Route};
use netlink::packet::AddressFamily;
use netlink::{Batch, Label, Link, Refused, Replies, Route as Found, RouteSocket, Ticket};
use vocab::InterfaceName;

pub use crate::route::ImpossibleGateway;
pub use error::Error;

pub(crate) use plan::LOOPBACK_INDEX;
use plan::Plan;
use ready::Pending;

use crate::route::PlannedRoute;

/// What the container's end should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its number inside the container.
    pub index: u32,
    /// Its name inside the container.
    pub name: InterfaceName,
    /// Whether it is switched on.
    pub state: State,
    /// Its addresses, each with the gateway that routes may fall back on.
    pub ips: Vec<Ip>,
    /// The routes over it.
    pub routes: Vec<Route>,
    /// How IPv6 addresses are tried.
    pub duplicates: Duplicates,
}

/// Whether an interface is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Up,
    /// It is made, and left to whoever wants to use it.
    Down,
}

/// Whether the kernel first asks around whether somebody else has an IPv6 address (RFC 4862, section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// It does not: addresses come from somebody who hands out each one once. They are usable at once.
    Trust,
    /// It does; an ADD takes one to two seconds.
    Detect,
}

/// The container's end as it is now.
pub struct Configured {
    /// What the kernel says of it.
    pub link: Link,
    pending: Option<Pending>,
}

/// Configures the container's end, with one request and only the settings that are not yet right. To be called on
/// a thread inside the container's namespace, with a socket that was opened there.
///
/// # Errors
/// See [`Error`].
pub fn configure(container: &mut RouteSocket, spec: &ContainerSpec) -> Result<Configured, Error> {
    let earlier = earlier_routes(container, spec)?;
    let Plan { settings, batch, link, yielding } = plan::plan(spec, &earlier)?;
    for (sysctl, value) in settings {
        sysctl.ensure(value)?;
    }
    // It listens before the addresses are there: how they fare is told once.
    let pending = Pending::listen(spec)?;
    let mut replies = container.run_each(batch)?;
    yield_to_others(container, spec, &replies, yielding)?;
    let link = replies.take_link(link).ok_or_else(|| Error::no_answer(&spec.name))?;
    Ok(Configured { link, pending })
}

/// The IPv6 routes that the container has already. The first of its links finds none, and does not ask.
fn earlier_routes(container: &mut RouteSocket, spec: &ContainerSpec) -> Result<Vec<Found>, Error> {
    // Numbers go up: nobody but `lo` can have been before this one.
    let is_first = spec.index == LOOPBACK_INDEX + 1;
    match !is_first && spec.routes.iter().any(|route| route.dst.is_ipv6()) {
        true => Ok(container.routes(AddressFamily::Inet6)?),
        false => Ok(Vec::new()),
    }
}

/// Puts routes behind those that other links have to the same destinations: the first network that a container is on is
/// its way out, in IPv6 as in IPv4. The plan knows of those that were there before; this is for those that came meanwhile.
///
/// # Errors
/// The first refusal of `replies` for another reason, or one of the second attempt.
fn yield_to_others(
    container: &mut RouteSocket,
    spec: &ContainerSpec,
    replies: &Replies,
    yielding: Vec<(Ticket, PlannedRoute)>,
) -> Result<(), Error> {
    let is_second = |ticket| replies.refused(ticket).is_some_and(Refused::is_exists);
    let (second, _): (Vec<_>, Vec<_>) = yielding.into_iter().partition(|(ticket, _)| is_second(*ticket));
    let refused = replies.outcomes().flatten();
    let mut others =
        refused.filter(|refused| !second.iter().any(|(ticket, _)| replies.refused(*ticket) == Some(refused)));
    if let Some(refused) = others.next().cloned() {
        return Err(netlink::Error::from(refused).into());
    }
    if second.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    for (_, route) in second {
        let route = route.behind(spec.index);
        batch.append_route(Label::new("add route", route.object()), &route.message(spec.index));
    }
    container.run(batch)?;
    Ok(())
}

impl Configured {
    /// Waits until the IPv6 addresses can be used. The kernel finishes an address that it does not have to try
    /// within microseconds, but in the background: until then, packets to it are dropped.
    ///
    /// `container` is the socket that it was configured with; the calling thread may be anywhere. Best called after
    /// the host's end was settled, for the two waits overlap.
    ///
    /// # Errors
    /// [`Error::Duplicate`] or [`Error::NotReady`].
    pub fn wait(self, container: &mut RouteSocket) -> Result<Link, Error> {
        if let Some(mut pending) = self.pending {
            pending.wait(container)?;
        }
        Ok(self.link)
    }
}
