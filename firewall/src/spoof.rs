//! Spoof checks: a container's frames must bear the container's own source MAC address.
//!
//! Two elements a container: the port that is checked, and the MAC address that may come through it. The
//! first one's comment also tells the MAC address, so that a DEL that knows nothing but the port finds the
//! second without listing anything.

use vocab::{InterfaceName, MacAddress};

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::firewall::{Ensured, Firewall, Removed, Standing};
use crate::message;
use crate::owner::Owner;
use crate::skeleton::sets::{SPOOF_ALLOWED, SPOOF_PORTS};
use crate::skeleton::{FRAMES, FRAMES_PREROUTING};
use crate::table;

/// A port of a bridge and the one source MAC address that it may send from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoofCheck {
    /// The host's end of the container's veth pair.
    pub interface: InterfaceName,
    /// The container's end's address.
    pub mac: MacAddress,
    /// The container's attachment.
    pub owner: Owner,
}

/// Why a container's MAC address is not checked as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The check could not be added.
    #[error("allow only source MAC {mac} on {interface}")]
    Add {
        /// Which port.
        interface: InterfaceName,
        /// Which address.
        mac: MacAddress,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be looked at.
    #[error("look for the source MAC check on {interface}")]
    Find {
        /// Which port.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
    /// The checks could not be listed.
    #[error("list the ports whose source MAC is checked")]
    List {
        /// What nf_tables says.
        source: channel::Error,
    },
    /// It could not be removed.
    #[error("remove the source MAC check on {interface}")]
    Remove {
        /// Which port.
        interface: InterfaceName,
        /// What nf_tables says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Add { source, .. }
            | Self::Find { source, .. }
            | Self::List { source }
            | Self::Remove { source, .. } => source.hint(),
        }
    }
}

impl Firewall {
    /// Lets only the container's own MAC address through a port. What an earlier container left under the
    /// port's name is replaced.
    ///
    /// # Errors
    /// [`Error::Add`]; then nothing was added.
    pub fn ensure_spoof_check(&mut self, check: &SpoofCheck) -> Result<Ensured, Error> {
        self.attempt(|channel| ensure(channel, check)).map_err(|source| Error::Add {
            interface: check.interface.clone(),
            mac: check.mac,
            source,
        })
    }

    /// Whether the check is in place.
    ///
    /// # Errors
    /// [`Error::Find`].
    pub fn find_spoof_check(&mut self, check: &SpoofCheck) -> Result<Standing, Error> {
        self.attempt(|channel| {
            let found = look(channel, check)?;
            Ok(match found {
                Found { is_current: false, .. } => Standing::RulesMissing,
                Found { port: Some(_), allowed: true, .. } => Standing::Whole,
                Found { .. } => Standing::Missing(vec![format!("{} on {}", check.mac, check.interface)]),
            })
        })
        .map_err(|source| Error::Find { interface: check.interface.clone(), source })
    }

    /// All checks.
    ///
    /// # Errors
    /// [`Error::List`].
    pub fn list_spoof_checks(&mut self) -> Result<Vec<SpoofCheck>, Error> {
        let elements = self.attempt(|channel| table::elements(channel, &FRAMES, &SPOOF_ALLOWED));
        let elements = elements.map_err(|source| Error::List { source })?;
        Ok(elements.iter().filter_map(SpoofCheck::from_allowed).collect())
    }

    /// Ends the check of a port, whoever it belongs to.
    ///
    /// # Errors
    /// [`Error::Remove`]; then nothing was removed.
    pub fn remove_spoof_check(&mut self, interface: &InterfaceName) -> Result<Removed, Error> {
        self.attempt(|channel| {
            let question = message::get_element(&FRAMES, &SPOOF_PORTS, &Element::interface(interface));
            let answers = channel.ask(vec![(FRAMES.family.into(), question)])?;
            let answer = answers.into_iter().next().flatten();
            let Some(port) = answer.and_then(|answer| Element::parse_list(&answer).into_iter().next()) else {
                return Ok(Removed::Before);
            };
            let mut batch = Batch::default();
            remove(channel, &mut batch, interface, &port)?;
            channel.commit(batch)?;
            Ok(Removed::Now)
        })
        .map_err(|source| Error::Remove { interface: interface.clone(), source })
    }
}

fn ensure(channel: &mut Channel, check: &SpoofCheck) -> Result<Ensured, channel::Error> {
    let found = look(channel, check)?;
    if found.is_current {
        return ensure_elements(channel, check, &found);
    }
    let [port, allowed] = check.elements();
    table::install(channel, &FRAMES, &[(&SPOOF_PORTS, vec![port]), (&SPOOF_ALLOWED, vec![allowed])])?;
    // Others may have installed it meanwhile, or an outdated table's elements were kept instead.
    let found = look(channel, check)?;
    ensure_elements(channel, check, &found).map(|_| Ensured::Added)
}

fn ensure_elements(
    channel: &mut Channel,
    check: &SpoofCheck,
    found: &Found,
) -> Result<Ensured, channel::Error> {
    let [port, allowed] = check.elements();
    let mut batch = Batch::default();
    match &found.port {
        Some(same) if *same == port && found.allowed => return Ok(Ensured::AlreadyThere),
        Some(stale) => remove(channel, &mut batch, &check.interface, stale)?,
        None => {}
    }
    batch.add(&FRAMES, &SPOOF_PORTS, &[port]);
    batch.add(&FRAMES, &SPOOF_ALLOWED, &[allowed]);
    channel.commit(batch)?;
    Ok(Ensured::Added)
}

/// Deletes a port, and what was allowed on it.
fn remove(
    channel: &mut Channel,
    batch: &mut Batch,
    interface: &InterfaceName,
    port: &Element,
) -> Result<(), channel::Error> {
    let allowed = match port.comment().and_then(SpoofCheck::mac_of_port) {
        Some(mac) => {
            let allowed = Element::interface_mac(interface, mac);
            let question = message::get_element(&FRAMES, &SPOOF_ALLOWED, &allowed);
            let answers = channel.ask(vec![(FRAMES.family.into(), question)])?;
            answers.into_iter().flatten().map(|_| allowed.clone()).collect()
        }
        // Somebody put the port back by hand, or a saved ruleset without comments.
        None => {
            let mut allowed = table::elements(channel, &FRAMES, &SPOOF_ALLOWED)?;
            allowed.retain(|element| element.to_interface().as_ref() == Some(interface));
            allowed
        }
    };
    batch.delete(&FRAMES, &SPOOF_PORTS, std::slice::from_ref(port));
    batch.delete(&FRAMES, &SPOOF_ALLOWED, &allowed);
    Ok(())
}

struct Found {
    is_current: bool,
    port: Option<Element>,
    allowed: bool,
}

/// Asks for the rules and for both elements, in one go.
fn look(channel: &mut Channel, check: &SpoofCheck) -> Result<Found, channel::Error> {
    let [port, allowed] = check.elements();
    let family = FRAMES.family.into();
    let answers = channel.ask(vec![
        table::question(&FRAMES, &FRAMES_PREROUTING),
        (family, message::get_element(&FRAMES, &SPOOF_PORTS, &port)),
        (family, message::get_element(&FRAMES, &SPOOF_ALLOWED, &allowed)),
    ])?;
    let mut answers = answers.into_iter();
    let chain = answers.next().flatten();
    let port = answers.next().flatten();
    Ok(Found {
        is_current: table::is_current(&FRAMES, &FRAMES_PREROUTING, chain.as_deref()),
        port: port.and_then(|answer| Element::parse_list(&answer).into_iter().next()),
        allowed: answers.next().flatten().is_some(),
    })
}

impl SpoofCheck {
    fn elements(&self) -> [Element; 2] {
        let port = Element::interface(&self.interface).with_comment(&format!("{} {}", self.owner, self.mac));
        let allowed = Element::interface_mac(&self.interface, self.mac).with_comment(self.owner.as_str());
        [port, allowed]
    }

    fn from_allowed(element: &Element) -> Option<Self> {
        let owner = Owner::from_comment(element.comment()?);
        Some(Self { interface: element.to_interface()?, mac: element.to_mac()?, owner })
    }

    fn mac_of_port(comment: &str) -> Option<MacAddress> {
        comment.rsplit_once(' ')?.1.parse().ok()
    }

    /// The owner in the comment of a port.
    pub(crate) fn owner_of_port(comment: &str) -> &str {
        comment.split(' ').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::{Attachment, ContainerId, NetworkName};

    fn check(container: &str) -> SpoofCheck {
        let network = NetworkName::new("mynet").unwrap();
        let attachment =
            Attachment::new(ContainerId::new(container).unwrap(), InterfaceName::new("eth0").unwrap());
        SpoofCheck {
            interface: attachment.host_interface(0),
            mac: attachment.container_mac(),
            owner: Owner::attachment(&network, &attachment),
        }
    }

    #[test]
    fn the_port_s_comment_tells_owner_and_mac() {
        let check = check(&"c".repeat(255));
        let [port, allowed] = check.elements();
        let comment = port.comment().unwrap();
        assert_eq!(SpoofCheck::mac_of_port(comment), Some(check.mac));
        assert_eq!(SpoofCheck::owner_of_port(comment), check.owner.as_str());
        assert_eq!(SpoofCheck::from_allowed(&allowed), Some(check));
    }

    #[test]
    fn a_comment_that_is_not_ours_tells_no_mac() {
        assert_eq!(SpoofCheck::mac_of_port("mynet/web/eth0"), None);
        assert_eq!(SpoofCheck::mac_of_port("by hand"), None);
    }
}
