//! Whose an element is: the network or attachment that its comment names.

use std::fmt;

use sha2::{Digest, Sha512};
use vocab::{Attachment, NetworkName};

use crate::element::COMMENT_MAX;

/// The most bytes of an owner: a comment also has to hold a blank and a MAC address.
const MAX: usize = COMMENT_MAX - " 02:42:ac:11:00:02".len();
/// What long names are cut to, so that network, container and interface (15) fit with two slashes.
const NETWORK_MAX: usize = 28;
const CONTAINER_MAX: usize = 64;

/// Whose an element is: `NETWORK`, or `NETWORK/CONTAINER/INTERFACE`.
///
/// Equal attachments have equal owners; nothing but the names is needed to find what they left. Names that
/// are too long for a comment are cut, and a `~` with a digest takes the place of the rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(String);

impl Owner {
    /// A network as a whole.
    #[must_use]
    pub fn network(network: &NetworkName) -> Self {
        Self(shorten(network.as_str(), MAX))
    }

    /// A container's interface on a network.
    #[must_use]
    pub fn attachment(network: &NetworkName, attachment: &Attachment) -> Self {
        let whole = format!("{network}/{attachment}");
        if whole.len() <= MAX {
            return Self(whole);
        }
        let network = shorten(network.as_str(), NETWORK_MAX);
        let container = shorten(attachment.container.as_str(), CONTAINER_MAX);
        Self(format!("{network}/{container}/{}", attachment.interface))
    }

    /// What a comment says, whoever wrote it; also for those who keep an owner's text elsewhere.
    #[must_use]
    pub fn from_comment(comment: &str) -> Self {
        Self(comment.to_owned())
    }

    /// Whether it is that attachment, on whatever network.
    #[must_use]
    pub fn is_of(&self, attachment: &Attachment) -> bool {
        let mut words = self.0.split('/').skip(1);
        let is_container = |word: &str| {
            let container = attachment.container.as_str();
            word == container || word == shorten(container, CONTAINER_MAX)
        };
        words.next().is_some_and(is_container) && words.next() == Some(attachment.interface.as_str())
    }

    /// Whether both are attachments of one container, on whatever networks.
    #[must_use]
    pub fn is_container_of(&self, other: &Self) -> bool {
        // Long names may have been cut in the one and not in the other.
        let container = |owner: &Self| owner.0.split('/').nth(1).map(|name| shorten(name, CONTAINER_MAX));
        container(self).is_some() && container(self) == container(other)
    }

    /// Whether GC of a network leaves it alone: it is another network's, or one of the `valid` attachments; the network
    /// itself as long as there is one.
    #[must_use]
    pub fn is_kept<'a>(
        &self,
        network: &NetworkName,
        mut valid: impl Iterator<Item = &'a Attachment>,
    ) -> bool {
        if !self.belongs_to(network) {
            return true;
        }
        match *self == Self::network(network) {
            true => valid.next().is_some(),
            false => valid.any(|attachment| Self::attachment(network, attachment) == *self),
        }
    }

    /// Whether it is the network, or an attachment to it.
    #[must_use]
    pub fn belongs_to(&self, network: &NetworkName) -> bool {
        let first = self.0.split('/').next().unwrap_or_default();
        first == network.as_str()
            || first == shorten(network.as_str(), MAX)
            || first == shorten(network.as_str(), NETWORK_MAX)
    }

    /// The owner as comments name it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cuts a name that is longer than `max`. No name of a network or container has a `~` in it.
fn shorten(name: &str, max: usize) -> String {
    const DIGITS: usize = 16;
    match name.get(..max - DIGITS - 1) {
        Some(start) if name.len() > max => format!("{start}~{}", hex_digest(name.as_bytes(), DIGITS)),
        _ => name.to_owned(),
    }
}

/// The first `digits` hexadecimal digits of the SHA-512 of `bytes`.
pub(crate) fn hex_digest(bytes: &[u8], digits: usize) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(digits + 1);
    for byte in Sha512::digest(bytes).iter().take(digits.div_ceil(2)) {
        // Writing to a string cannot fail.
        let _always = write!(text, "{byte:02x}");
    }
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::{ContainerId, InterfaceName};

    fn network(name: &str) -> NetworkName {
        NetworkName::new(name).unwrap()
    }

    fn attachment(container: &str, interface: &str) -> Attachment {
        Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new(interface).unwrap())
    }

    #[test]
    fn usual_names_are_whole() {
        assert_eq!(Owner::network(&network("mynet")).as_str(), "mynet");
        let container = "a".repeat(64);
        let owner = Owner::attachment(&network("mynet"), &attachment(&container, "eth0"));
        assert_eq!(owner.as_str(), format!("mynet/{container}/eth0"));
    }

    #[test]
    fn the_longest_names_fit_and_stay_different() {
        let [one, two] = [format!("{}1", "n".repeat(254)), format!("{}2", "n".repeat(254))];
        let owner =
            |name: &str| Owner::attachment(&network(name), &attachment(&"c".repeat(255), "123456789012345"));
        assert!(owner(&one).as_str().len() <= MAX, "{}", owner(&one));
        assert_ne!(owner(&one), owner(&two));
        assert_ne!(Owner::network(&network(&one)), Owner::network(&network(&two)));
        assert!(owner(&one).belongs_to(&network(&one)) && !owner(&one).belongs_to(&network(&two)));
        assert!(Owner::network(&network(&one)).belongs_to(&network(&one)));
    }

    #[test]
    fn an_attachment_is_known_again_on_another_network() {
        for container in ["web", &"c".repeat(255)] {
            let attachment = attachment(container, "eth0");
            let owner = Owner::attachment(&network("net1"), &attachment);
            assert!(owner.is_of(&attachment));
            assert!(owner.is_container_of(&Owner::attachment(&network(&"n".repeat(255)), &attachment)));
        }
        let owner = Owner::attachment(&network("net1"), &attachment("web", "eth0"));
        assert!(!owner.is_of(&attachment("web", "eth1")) && !owner.is_of(&attachment("web1", "eth0")));
        assert!(owner.is_container_of(&Owner::attachment(&network("net2"), &attachment("web", "eth1"))));
        assert!(!owner.is_container_of(&Owner::network(&network("web"))));
        assert!(!Owner::network(&network("web")).is_container_of(&Owner::network(&network("web"))));
    }

    #[test]
    fn a_name_that_begins_like_another_is_another() {
        let owner = Owner::attachment(&network("net1"), &attachment("c", "eth0"));
        assert!(owner.belongs_to(&network("net1")));
        assert!(!owner.belongs_to(&network("net")));
        assert!(!owner.belongs_to(&network("net12")));
    }

    #[test]
    fn a_digest_has_as_many_digits_as_were_asked_for() {
        assert_eq!(hex_digest(b"mynetabc", 24), "e88f49d94512ff752ebe6070");
        assert_eq!(hex_digest(b"mynetabc", 7), "e88f49d");
    }
}
