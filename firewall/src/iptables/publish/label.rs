//! Names and comments that tell whose a chain is: the reference's, so that either finds what the other made.

use vocab::{ContainerId, NetworkName};

use super::PublicationOwner;
use crate::owner::hex_digest;

/// Where all published ports begin, entered from `PREROUTING` and `OUTPUT`.
pub(super) const DNAT: &str = "CNI-HOSTPORT-DNAT";
/// Where connections are marked that are to be masqueraded.
pub(super) const SET_MARK: &str = "CNI-HOSTPORT-SETMARK";
/// Where they are masqueraded, entered from `POSTROUTING`.
pub(super) const MASQUERADE: &str = "CNI-HOSTPORT-MASQ";
/// What old versions of the reference had in its place, with a chain a container.
pub(super) const OLD_SNAT: &str = "CNI-HOSTPORT-SNAT";

/// How the name of a container's chain begins.
pub(super) const CHAIN_PREFIX: &str = "CNI-DN-";

/// `MAX_CHAIN_LEN` of the reference: its prefix and so many hexadecimal digits that there are 28 characters.
const NAME_LEN: usize = 28;
/// The longest comment of iptables; the reference lets dots stand for what does not fit.
const COMMENT_MAX: usize = 255;
const CUT: &str = "..";

/// A container's chain.
pub(super) fn chain(network: &NetworkName, container: &ContainerId) -> String {
    name(CHAIN_PREFIX, network, container)
}

/// A container's chains: its own and the one that old versions of the reference made.
pub(super) fn chains(network: &NetworkName, container: &ContainerId) -> [String; 2] {
    [chain(network, container), name("CNI-SN-", network, container)]
}

fn name(prefix: &str, network: &NetworkName, container: &ContainerId) -> String {
    let digest = hex_digest(format!("{network}{container}").as_bytes(), NAME_LEN - prefix.len());
    format!("{prefix}{digest}")
}

/// The comment of the rules that lead to a container's chain.
pub(super) fn comment(network: &NetworkName, container: &ContainerId) -> String {
    let mut text = format!("dnat name: \"{network}\" id: \"{container}\"");
    if text.len() > COMMENT_MAX {
        text.truncate(COMMENT_MAX - CUT.len());
        text.push_str(CUT);
    }
    text
}

/// Whom a comment names, if the chain's name proves that it is true. One that was cut names nobody.
pub(super) fn owner(comment: &str, chain_name: &str) -> Option<PublicationOwner> {
    let names = comment.strip_prefix("dnat name: \"")?.strip_suffix('"')?;
    let (network, container) = names.split_once("\" id: \"")?;
    let (network, container) = (NetworkName::new(network).ok()?, ContainerId::new(container).ok()?);
    (chain(&network, &container) == chain_name).then_some(PublicationOwner { network, container })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(network: &str, container: &str) -> (NetworkName, ContainerId) {
        (NetworkName::new(network).unwrap(), ContainerId::new(container).unwrap())
    }

    #[test]
    fn the_names_are_the_reference_s() {
        let (network, container) = names("mynet", "abc");
        let chains = chains(&network, &container);
        assert_eq!(chains, ["CNI-DN-e88f49d94512ff752ebe6", "CNI-SN-e88f49d94512ff752ebe6"]);
        assert_eq!(comment(&network, &container), r#"dnat name: "mynet" id: "abc""#);
    }

    #[test]
    fn a_comment_names_its_owner_only_when_the_chain_agrees() {
        let (network, container) = names("mynet", "abc");
        let (text, chain) = (comment(&network, &container), chain(&network, &container));
        assert_eq!(owner(&text, &chain), Some(PublicationOwner { network, container }));
        assert_eq!(owner(&text, "CNI-DN-000000000000000000000"), None);
        assert_eq!(owner(&text.replace("abc", "abd"), &chain), None);
        assert_eq!(owner("dnat name: \"mynet\"", &chain), None);
    }

    #[test]
    fn a_long_comment_ends_in_dots() {
        // The reference's own comments, with identifiers of these lengths, have these lengths.
        let (network, container) = names("mynet", &"n".repeat(230));
        assert_eq!(comment(&network, &container).len(), 255);
        let (network, container) = names("mynet", &"n".repeat(231));
        let cut = comment(&network, &container);
        assert!(cut.len() == 255 && cut.ends_with("n.."), "{cut}");
        assert_eq!(owner(&cut, &chain(&network, &container)), None);
    }
}
