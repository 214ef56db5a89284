//! Withdrawing: whatever an attachment has goes, however little is known of it.

use vocab::Attachment;

use super::conflict::Counts;
use super::found::Found;
use super::note::Note;
use super::{Error, PublishedPort};
use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::firewall::Firewall;
use crate::message;
use crate::owner::Owner;
use crate::skeleton::PACKETS;
use crate::skeleton::sets::PUBLISHERS;

impl Firewall {
    /// Withdraws all ports of an attachment, on whatever network it published them: a conflist may have been renamed
    /// since. Returns them; none if there is nothing to withdraw, which one question tells.
    ///
    /// # Errors
    /// [`Error::Unpublish`]; then nothing was withdrawn.
    pub fn unpublish(&mut self, attachment: &Attachment) -> Result<Vec<PublishedPort>, Error> {
        self.attempt(|channel| unpublish(channel, attachment))
            .map_err(|source| Error::Unpublish { attachment: attachment.clone(), source })
    }
}

fn unpublish(channel: &mut Channel, attachment: &Attachment) -> Result<Vec<PublishedPort>, channel::Error> {
    let (generation, publisher) = find_publisher(channel, attachment)?;
    let Some(publisher) = publisher else { return Ok(Vec::new()) };
    let mut batch = Batch::guarded(generation);
    let own = Found::belongings(channel, &publisher)?;
    let mut counts = Counts::default();
    let mut withdrawn = Vec::new();
    for (set, element) in own.iter() {
        batch.delete(&PACKETS, set, std::slice::from_ref(element));
        let port = PublishedPort::read(set, element);
        port.iter().for_each(|port| counts.change(port.host(), -1));
        withdrawn.extend(port);
    }
    batch.delete(&PACKETS, &PUBLISHERS, &[publisher]);
    counts.write(channel, &mut batch)?;
    channel.commit(batch)?;
    withdrawn.sort_unstable();
    Ok(withdrawn)
}

/// The attachment's element, unless the name is another attachment's: one in 2^44.
fn find_publisher(
    channel: &mut Channel,
    attachment: &Attachment,
) -> Result<(u32, Option<Element>), channel::Error> {
    let question = message::get_element(&PACKETS, &PUBLISHERS, &Note::place(attachment));
    let (generation, answers) = channel.ask_at_generation(vec![(PACKETS.family.into(), question)])?;
    let answer = answers.into_iter().next().flatten();
    let publisher = answer.and_then(|answer| Element::parse_list(&answer).into_iter().next());
    let is_of = |element: &Element| match element.comment() {
        Some(comment) => Owner::from_comment(comment).is_of(attachment),
        // Somebody took the comments away; what is there has no owner, and stays.
        None => false,
    };
    Ok((generation, publisher.filter(is_of)))
}
