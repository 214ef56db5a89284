//! `netctl cni gc`.

use clap::Args;
use vocab::{Attachment, ContainerId, InterfaceName};

use super::answer::Answer;
use super::network::NetworkArg;
use super::trouble::Trouble;
use crate::network::place::Place;

/// Why a text names no attachment.
#[derive(Debug, thiserror::Error)]
#[error("expected the id of a container, a slash and the name of its interface, such as web/eth0")]
struct InvalidAttachment;

/// Remove everything of a network that belongs to no valid attachment
#[derive(Debug, Args)]
#[command(after_help = "\
What is not named with --valid is taken away: attachments that are kept in the cache by DEL, the rest by the plugins
themselves. So --valid has to name every attachment that lives; --all takes them all away.")]
pub(super) struct Gc {
    #[command(flatten)]
    network: NetworkArg,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
#[group(required = true)]
struct Choice {
    /// Keep this attachment; may be given several times
    #[arg(long, value_name = "ID/IFNAME", value_parser = attachment)]
    valid: Vec<Attachment>,
    /// Keep none
    #[arg(long, conflicts_with = "valid")]
    all: bool,
}

fn attachment(text: &str) -> Result<Attachment, InvalidAttachment> {
    let (container, interface) = text.split_once('/').ok_or(InvalidAttachment)?;
    let container = ContainerId::new(container).map_err(|_| InvalidAttachment)?;
    let interface = InterfaceName::new(interface).map_err(|_| InvalidAttachment)?;
    Ok(Attachment::new(container, interface))
}

impl Gc {
    pub(super) fn run(self, place: &Place) -> Result<Answer, Trouble> {
        let list = self.network.find(place)?;
        let valid = self.choice.valid.into_iter().collect();
        place.roots.runtime().gc(&list, &valid).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }
}
