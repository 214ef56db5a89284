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
    let mut words = alias.split('/');
    if words.next()? != network.as_str() {
        return None;
    }
    let attachment = Attachment::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(attachment)
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
        assert_eq!(read(alias.as_str(), &network), Some(attachment));
    }

    #[test]
    fn a_stranger_s_alias_is_nobody_s() {
        let network: NetworkName = "a".parse().unwrap();
        for alias in ["", "uplink", "a/b", "a/b/c/d", "b/c/eth0", "a/ /eth0", "//"] {
            assert_eq!(read(alias, &network), None, "{alias}");
        }
    }
}
