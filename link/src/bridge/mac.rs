//! The MAC address that a bridge is made with.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use netns::Identity;
use vocab::{InterfaceName, MacAddress};

use super::Error;

/// Different each time the machine is started.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
/// A number for each network namespace of a machine.
const NAMESPACE: &str = "/proc/thread-self/ns/net";

/// The MAC address of a bridge: the same each time one of that name is made on this host, for containers that survive
/// their bridge go on sending to it, and what ADD answered names it; on every other host another.
///
/// # Errors
/// [`Error::Host`], when `/proc` does not tell which host this is.
pub fn own_mac(bridge: &InterfaceName) -> Result<MacAddress, Error> {
    let unknown = |path: &'static str| move |source| Error::Host { path: Path::new(path), source };
    let boot = std::fs::read(BOOT).map_err(unknown(BOOT))?;
    let namespace = Identity::of_path(NAMESPACE).map_err(unknown(NAMESPACE))?;
    // Which hash it is may change with the program: then a bridge that is made anew has another address, no more.
    let mut hasher = DefaultHasher::new();
    (boot, namespace, bridge.as_str()).hash(&mut hasher);
    let [_, _, bytes @ ..] = hasher.finish().to_be_bytes();
    Ok(MacAddress::local_unicast(bytes))
}
