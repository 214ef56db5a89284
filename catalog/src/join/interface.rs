//! The interfaces of a container: the name of the next one, and `lo`.

use link::loopback;
use netlink::{Link, RouteSocket};
use netns::Netns;
use vocab::InterfaceName;

use super::JoinError;
use crate::target::Sandbox;

/// What names begin with when the network says nothing else.
const PREFIX: &str = "eth";

/// The first name of `prefix` and a number that no interface of the container has.
pub(super) fn choose(netns: &Netns, prefix: Option<&str>) -> Result<InterfaceName, JoinError> {
    let links = links(netns)?;
    let taken: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
    Ok(first_free(prefix.unwrap_or(PREFIX), &taken)?)
}

/// Fails when the container has an interface of that name already. The plugin would find out as well: but then DEL is called
/// to take back what it did, and takes the interface that was there.
pub(super) fn refuse_taken<'a>(
    netns: &Netns,
    interface: &'a InterfaceName,
    sandbox: &Sandbox,
) -> Result<&'a InterfaceName, JoinError> {
    match links(netns)?.iter().any(|link| link.name == *interface) {
        true => Err(JoinError::InterfaceTaken {
            container: sandbox.container.clone(),
            interface: interface.clone(),
        }),
        false => Ok(interface),
    }
}

fn links(netns: &Netns) -> Result<Vec<Link>, JoinError> {
    netns.run(|| RouteSocket::open()?.links()).map_err(JoinError::Enter)?.map_err(JoinError::Links)
}

/// Switches `lo` on. Plugins leave that to the runtime, which is us.
///
/// # Errors
/// [`JoinError::Enter`], [`JoinError::Links`].
pub fn ensure_loopback(netns: &Netns) -> Result<(), JoinError> {
    let up = netns.run(|| loopback::ensure_up(&mut RouteSocket::open()?));
    up.map_err(JoinError::Enter)?.map_err(JoinError::Links).map(drop)
}

fn first_free(prefix: &str, taken: &[&str]) -> Result<InterfaceName, vocab::InvalidInterfaceName> {
    // One of them is free: there are more numbers than interfaces.
    let free = (0..=taken.len())
        .map(|number| format!("{prefix}{number}"))
        .find(|name| !taken.contains(&name.as_str()));
    InterfaceName::new(&free.unwrap_or_else(|| prefix.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_taken() {
        let free = |taken: &[&str]| first_free(PREFIX, taken).unwrap().to_string();
        assert_eq!(free(&["lo"]), "eth0");
        assert_eq!(free(&["lo", "eth0", "eth2"]), "eth1");
        assert_eq!(free(&["eth1", "eth0"]), "eth2");
        assert_eq!(first_free("net", &["eth0"]).unwrap().as_str(), "net0");
    }
}
