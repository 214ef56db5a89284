//! The interfaces of a container: the name of the next one, and `lo`.

use link::loopback;
use netlink::RouteSocket;
use netns::Netns;
use vocab::InterfaceName;

use super::JoinError;

/// What names begin with when the network says nothing else.
const PREFIX: &str = "eth";

/// The first name of `prefix` and a number that no interface of the container has.
pub(super) fn choose(netns: &Netns, prefix: Option<&str>) -> Result<InterfaceName, JoinError> {
    let links = netns.run(|| RouteSocket::open()?.links());
    let links = links.map_err(JoinError::Enter)?.map_err(JoinError::Links)?;
    let taken: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
    Ok(first_free(prefix.unwrap_or(PREFIX), &taken)?)
}

/// Switches `lo` on. Plugins leave that to the runtime, which is us.
pub(super) fn ensure_loopback(netns: &Netns) -> Result<(), JoinError> {
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
