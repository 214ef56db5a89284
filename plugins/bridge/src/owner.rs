//! Whose a link is: the words that stand on it in the kernel.

use link::Alias;
use vocab::{Attachment, InterfaceName, NetworkName};

/// How many names the host's end may have. The second is needed when a stranger has the first: one in 2^44.
const NAMES: u8 = 3;

/// The names that the host's end of `attachment` may have, the preferred one first.
pub(crate) fn host_names(attachment: &Attachment) -> Vec<InterfaceName> {
    (0..NAMES).map(|attempt| attachment.host_interface(attempt)).collect()
}

/// The alias of the host's end: `NETWORK/CONTAINER/INTERFACE`. No slash can be in any of the three.
pub(crate) fn alias(network: &NetworkName, attachment: &Attachment) -> Alias {
    Alias::new(&format!("{network}/{attachment}"))
}

/// The attachment to `network` that an alias names; `None` for a link that is another network's or not ours.
pub(crate) fn read(alias: &str, network: &NetworkName) -> Option<Attachment> {
    let (owner, attachment) = split(alias)?;
    (owner == *network).then_some(attachment)
}

/// Whether an alias names `attachment`, on whatever network: a conflist may have been renamed since ADD. The alias of
/// a long name is cut off, and so is what it is compared with.
pub(crate) fn is_of(alias: &str, attachment: &Attachment) -> bool {
    let network = alias.split('/').next().unwrap_or_default();
    Alias::new(&format!("{network}/{attachment}")).as_str() == alias
}

/// The network that an alias names.
pub(crate) fn network(alias: &str) -> Option<NetworkName> {
    alias.split('/').next()?.parse().ok()
}

fn split(alias: &str) -> Option<(NetworkName, Attachment)> {
    let mut words = alias.split('/');
    let network = words.next()?.parse().ok()?;
    let attachment = Attachment::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some((network, attachment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_read_back() {
        let attachment = Attachment::new("web.1".parse().unwrap(), "eth0".parse().unwrap());
        let network: NetworkName = "my_net".parse().unwrap();
        let alias = alias(&network, &attachment);
        assert_eq!(alias.as_str(), "my_net/web.1/eth0");
        assert_eq!(read(alias.as_str(), &network), Some(attachment.clone()));
        assert!(is_of(alias.as_str(), &attachment));
        assert!(is_of("renamed/web.1/eth0", &attachment));
        assert!(!is_of("my_net/web.1/eth1", &attachment));
        let long = Attachment::new("x".repeat(250).parse().unwrap(), "eth0".parse().unwrap());
        assert!(is_of(super::alias(&network, &long).as_str(), &long));
    }

    #[test]
    fn a_stranger_s_alias_is_nobody_s() {
        let network: NetworkName = "a".parse().unwrap();
        for alias in ["", "uplink", "a/b", "a/b/c/d", "b/c/eth0", "a/ /eth0", "//"] {
            assert_eq!(read(alias, &network), None, "{alias}");
        }
    }
}
