//! Removing many links at once.

use netlink_packet_route::link::{LinkAttribute, LinkMessage};

use crate::{Batch, Error, Label, RouteSocket};

/// The group that links are put into to be removed together. It must be no group that a living link is in: every
/// link of it goes, whoever put it there.
pub const VICTIMS: u32 = 0x6e63_0bad;

impl RouteSocket {
    /// Removes links by their numbers. Those that are gone already are fine.
    ///
    /// The kernel waits 20 to 30 ms for each request that removes links, however many links that is; therefore
    /// they are put into one group, and the group is removed.
    ///
    /// # Errors
    /// When the kernel refuses for another reason than that a link is gone.
    pub fn remove_links(&mut self, indexes: &[u32]) -> Result<(), Error> {
        let mut remove = Batch::new();
        match indexes {
            [] => return Ok(()),
            [index] => {
                remove.remove_link(Label::new("remove link number", index), &numbered(*index));
            }
            several => {
                self.put_into_group(several)?;
                let mut group = LinkMessage::default();
                group.attributes.push(LinkAttribute::Group(VICTIMS));
                remove.remove_link(Label::new("remove links of group", VICTIMS), &group);
            }
        }
        gone_is_fine(&self.run_each(remove)?)
    }

    fn put_into_group(&mut self, indexes: &[u32]) -> Result<(), Error> {
        let mut batch = Batch::new();
        for index in indexes {
            let mut link = numbered(*index);
            link.attributes.push(LinkAttribute::Group(VICTIMS));
            batch.set_link(Label::new("mark for removal link number", index), &link);
        }
        gone_is_fine(&self.run_each(batch)?)
    }
}

pub(crate) fn numbered(index: u32) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link
}

fn gone_is_fine(replies: &crate::Replies) -> Result<(), Error> {
    match replies.outcomes().flatten().find(|refused| !refused.is_missing()) {
        Some(refused) => Err(refused.clone().into()),
        None => Ok(()),
    }
}
