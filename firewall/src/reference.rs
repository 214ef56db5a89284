//! Taking away what the reference plugins left in nftables for an attachment.
//!
//! For nodes that we take over: the container was attached by them and is detached by us. Two questions
//! tell that there is nothing, which is the usual case and takes some microseconds. What they left in
//! iptables goes with [`Firewall::remove_iptables_masquerade`], whose chains are the same.

use netlink_packet_netfilter::NetfilterProtoFamily;
use vocab::{Attachment, ContainerId, NetworkName};

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element;
use crate::firewall::{Firewall, Removed};
use crate::message;
use crate::owner::hex_digest;
use crate::wire;

/// A chain of theirs.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    family: NetfilterProtoFamily,
    table: &'a str,
    chain: &'a str,
}

const MASQUERADE: Place<'_> =
    Place { family: NetfilterProtoFamily::Inet, table: "cni_plugins_masquerade", chain: "masq_checks" };
/// The published ports of its `portmap`, in either family.
const PORTS: [Place<'_>; 4] = [
    Place { family: NetfilterProtoFamily::IPv4, table: "cni_hostport", chain: "hostports" },
    Place { family: NetfilterProtoFamily::IPv4, table: "cni_hostport", chain: "hostip_hostports" },
    Place { family: NetfilterProtoFamily::IPv6, table: "cni_hostport", chain: "hostports" },
    Place { family: NetfilterProtoFamily::IPv6, table: "cni_hostport", chain: "hostip_hostports" },
];
const SPOOF: Place<'_> = Place { family: NetfilterProtoFamily::Bridge, table: "nat", chain: "PREROUTING" };

/// `NFTA_RULE_HANDLE` and `NFTA_RULE_USERDATA`.
const RULE_HANDLE: u16 = 3;
const RULE_USERDATA: u16 = 7;
/// How many digits of each digest a masquerade rule's comment begins with.
const DIGITS: usize = 16;

/// Why something of theirs is still there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Masquerade or the check of the MAC address.
    #[error("remove the reference plugins' rules of {attachment} in network {network}")]
    Rules {
        /// On which network.
        network: NetworkName,
        /// Whose rules.
        attachment: Attachment,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// Published ports.
    #[error("withdraw the ports that the reference plugin published of container {container}")]
    Ports {
        /// Whose ports.
        container: ContainerId,
        /// What nf_tables says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Rules { source, .. } | Self::Ports { source, .. } => source.hint(),
        }
    }
}

impl Firewall {
    /// Removes the rules that the reference's `bridge` and `ptp` made for an attachment with nftables:
    /// masquerade, and the check of the source MAC address.
    ///
    /// # Errors
    /// [`Error`]; then nothing was removed.
    pub fn remove_reference_rules(
        &mut self,
        network: &NetworkName,
        attachment: &Attachment,
    ) -> Result<Removed, Error> {
        self.attempt(|channel| remove(channel, network, attachment)).map_err(|source| Error::Rules {
            network: network.clone(),
            attachment: attachment.clone(),
            source,
        })
    }

    /// Removes the rules that the reference's `portmap` made for a container with nftables. It tells neither networks nor
    /// interfaces apart.
    ///
    /// # Errors
    /// [`Error::Ports`]; then nothing was removed.
    pub fn remove_reference_ports(&mut self, container: &ContainerId) -> Result<Removed, Error> {
        self.attempt(|channel| {
            let answers = channel.ask(PORTS.map(question).to_vec())?;
            if answers.iter().all(Option::is_none) {
                return Ok(Removed::Before);
            }
            let mut batch = Batch::guarded(channel.generation()?);
            for place in PORTS {
                delete_rules(channel, &mut batch, place, |comment| comment == container.as_str())?;
            }
            let removed = if batch.changes.is_empty() { Removed::Before } else { Removed::Now };
            channel.commit(batch)?;
            Ok(removed)
        })
        .map_err(|source| Error::Ports { container: container.clone(), source })
    }
}

fn remove(
    channel: &mut Channel,
    network: &NetworkName,
    attachment: &Attachment,
) -> Result<Removed, channel::Error> {
    let names = spoof_chains(attachment);
    let spoof_chain = Place { chain: &names[0], ..SPOOF };
    let answers = channel.ask(vec![question(MASQUERADE), question(spoof_chain)])?;
    let [has_masquerade, has_spoof_check] = [answers[0].is_some(), answers[1].is_some()];
    if !has_masquerade && !has_spoof_check {
        return Ok(Removed::Before);
    }
    let mut batch = Batch::guarded(channel.generation()?);
    if has_masquerade {
        let beginning = masquerade_comment(network, attachment);
        delete_rules(channel, &mut batch, MASQUERADE, |comment| comment.starts_with(&beginning))?;
    }
    if has_spoof_check {
        let ours = format!("macspoofchk-{}-{}", attachment.container, attachment.interface);
        delete_rules(channel, &mut batch, SPOOF, |comment| comment == ours)?;
        delete_chains(channel, &mut batch, &names)?;
    }
    let removed = if batch.changes.is_empty() { Removed::Before } else { Removed::Now };
    channel.commit(batch)?;
    Ok(removed)
}

/// The chain that a port's frames are sent to, and the one that this leads to.
fn spoof_chains(attachment: &Attachment) -> [String; 2] {
    let chain = format!("cni-br-iface-{}-{}", attachment.container, attachment.interface);
    let inner = format!("{chain}-mac");
    [chain, inner]
}

fn masquerade_comment(network: &NetworkName, attachment: &Attachment) -> String {
    let interface = format!("{}:{}", attachment.interface, attachment.container);
    let [network, interface] = [network.as_str(), &interface].map(|text| hex_digest(text.as_bytes(), DIGITS));
    format!("{network}-{interface}")
}

fn question(place: Place<'_>) -> channel::Question {
    (place.family, message::get_chain(place.table, place.chain))
}

fn delete_rules(
    channel: &mut Channel,
    batch: &mut Batch,
    place: Place<'_>,
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), channel::Error> {
    for rule in channel.list(place.family, message::get_rules(place.table, place.chain))? {
        let comment = wire::attribute(&rule, RULE_USERDATA).and_then(element::comment);
        let handle = wire::attribute(&rule, RULE_HANDLE).and_then(wire::long_number);
        if let (Some(comment), Some(handle)) = (comment, handle)
            && is_ours(comment)
        {
            batch.delete_rule(place.family, place.table, place.chain, handle);
        }
    }
    Ok(())
}

/// The outer chain first: a chain that a rule leads to cannot be deleted.
fn delete_chains(
    channel: &mut Channel,
    batch: &mut Batch,
    names: &[String; 2],
) -> Result<(), channel::Error> {
    let questions = names.iter().map(|chain| question(Place { chain, ..SPOOF }));
    let answers = channel.ask(questions.collect())?;
    for (chain, _) in names.iter().zip(answers).filter(|(_, answer)| answer.is_some()) {
        batch.delete_chain(SPOOF.family, SPOOF.table, chain);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::InterfaceName;

    #[test]
    fn the_names_are_the_reference_s() {
        let container = ContainerId::new("abc").unwrap();
        let attachment = Attachment::new(container, InterfaceName::new("eth0").unwrap());
        assert_eq!(spoof_chains(&attachment), ["cni-br-iface-abc-eth0", "cni-br-iface-abc-eth0-mac"]);
        let network = NetworkName::new("mynet").unwrap();
        // printf mynet | sha512sum; printf eth0:abc | sha512sum
        assert_eq!(masquerade_comment(&network, &attachment), "d23676b4f2d9fe04-e65086f8a75535c6");
    }
}
