//! The dead: containers whose namespace went without anybody calling DEL, as all do in a reboot.
//!
//! Their leases are in the way of those who come. And what is kept of one is in the way of a container that comes back by
//! the same name: the DEL for its former self would take the interface of its present one.

use netlink::{LinkName, RouteSocket};
use netns::Netns;
use network::{CacheError, Doing, Entry, Error, List, Runtime};
use vocab::{ContainerId, InterfaceName};

use crate::catalog::Network;
use crate::member::Member;

/// Takes away what is left of `container`'s former selves on any network, and of others that were on this one. Returns
/// what failed.
///
/// # Errors
/// When what is kept of attachments cannot be read.
pub(crate) fn forget_dead(
    runtime: &Runtime,
    network: &Network,
    container: &ContainerId,
) -> Result<Vec<Error>, CacheError> {
    let is_dead = |entry: &Entry| match entry.attachment.container == *container {
        // Its turn is held, so nobody is about to make it.
        true => !entry.stands().unwrap_or(true),
        false => entry.network == *network.name() && has_vanished(entry),
    };
    let mut lists: Vec<List> = Vec::new();
    let mut errors = Vec::new();
    for entry in runtime.cache.all()?.into_iter().filter(|entry| is_dead(entry)) {
        if lists.iter().any(|list| *list.name() == entry.network) {
            continue;
        }
        match entry.network == *network.name() {
            true => lists.push(network.list.clone()),
            false => match List::parse(entry.config) {
                Ok(list) => lists.push(list),
                Err(error) => errors.push(Error {
                    doing: Doing::Forget,
                    attachment: Some(entry.attachment),
                    network: entry.network,
                    reason: error.into(),
                }),
            },
        }
    }
    errors.extend(lists.iter().flat_map(|list| runtime.forget(list, is_dead)));
    Ok(errors)
}

/// Whether a container is gone for sure, namespace and link. A namespace alone that is not found may be one that this
/// program cannot see: its runtime has its own view of the file tree.
fn has_vanished(entry: &Entry) -> bool {
    let is_gone =
        entry.namespace().is_some_and(|netns| Netns::open(netns).is_err_and(|error| error.is_gone()));
    is_gone && Member::of(entry).host_interface.is_some_and(|port| is_absent(&port).unwrap_or(false))
}

fn is_absent(port: &InterfaceName) -> Result<bool, netlink::Error> {
    Ok(RouteSocket::open()?.find_link(LinkName::Name(port))?.is_none())
}
