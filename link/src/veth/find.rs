//! The host's end of a pair, found again without memory.

use std::os::fd::BorrowedFd;

use netlink::{Batch, Link, LinkName, RouteSocket};
use vocab::InterfaceName;

use super::GROUP;
use crate::Alias;

/// Whether `link` is the host's end of the pair that `alias` stands for. A pair that was made but not marked yet,
/// because its ADD was killed in between, is told by its group.
pub(super) fn is_owned(link: &Link, alias: &Alias) -> bool {
    link.is_kind("veth") && (alias.is_on(link) || (link.alias.is_none() && link.group == GROUP))
}

/// Looks for the host's end of a pair under the names that it may have, among those links whose alias `is_whose`
/// accepts, or that are not marked yet. One request.
///
/// # Errors
/// What the kernel says.
pub fn find_owned(
    host: &mut RouteSocket,
    names: &[InterfaceName],
    is_whose: impl Fn(&str) -> bool,
) -> Result<Option<Link>, netlink::Error> {
    let mut batch = Batch::new();
    let tickets: Vec<_> = names.iter().map(|name| batch.find(LinkName::Name(name))).collect();
    let mut replies = host.run_each(batch)?;
    if let Some(refused) = replies.outcomes().flatten().find(|refused| !refused.is_missing()) {
        return Err(refused.clone().into());
    }
    let found = tickets.into_iter().filter_map(|ticket| replies.take_link(ticket));
    Ok(found.filter(|link| link.is_kind("veth")).find(|link| match &link.alias {
        Some(alias) => is_whose(alias),
        None => link.group == GROUP,
    }))
}

/// Looks for the host's end of a container's veth, whoever made the pair and whatever it is named.
///
/// `container_end` is what the kernel says of it inside `container_ns`. Its peer's number alone is not enough: it
/// is a number in the namespace of the peer, which may be another than the host's.
///
/// # Errors
/// What the kernel says.
pub fn find_host_end(
    host: &mut RouteSocket,
    container_end: &Link,
    container_ns: BorrowedFd<'_>,
) -> Result<Option<Link>, netlink::Error> {
    let Some(index) = container_end.peer.filter(|_| container_end.is_kind("veth")) else { return Ok(None) };
    let Some(nsid) = host.find_nsid(container_ns)? else { return Ok(None) };
    let found = host.find_link(LinkName::Index(index))?;
    Ok(found.filter(|link| {
        link.is_kind("veth") && link.peer == Some(container_end.index) && link.peer_nsid == Some(nsid)
    }))
}
