//! Looking after everything at once: what belongs to nobody goes, and when nothing is left, so do the tables.

use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::batch::Batch;
use crate::channel::{self, Channel};
use crate::element::Element;
use crate::firewall::{Firewall, Removed};
use crate::foreign::sweep::{self, FILTER, NAT};
use crate::owner::Owner;
use crate::owners;
use crate::ports;
use crate::ruleset::{Set, Table};
use crate::skeleton::sets::{SPOOF_ALLOWED, SPOOF_PORTS};
use crate::skeleton::{FRAMES, NETWORK_SETS, PACKETS, TABLES};
use crate::spoof::SpoofCheck;
use crate::table;

/// Why not everything could be looked after.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Elements without an owner are still there.
    #[error("remove firewall elements that belong to nobody")]
    Retain {
        /// What nf_tables says.
        source: channel::Error,
    },
    /// A table is still there.
    #[error("remove the empty {table}")]
    RemoveTable {
        /// Which one (`table inet netctl`).
        table: String,
        /// What nf_tables says.
        source: channel::Error,
    },
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Retain { source } | Self::RemoveTable { source, .. } => source.hint(),
        }
    }
}

impl Firewall {
    /// Removes every element whose owner is not to be kept, in one transaction; returns how many. Elements
    /// that name no owner were not made by us and stay.
    ///
    /// # Errors
    /// [`Error::Retain`]; then nothing was removed.
    pub fn retain(&mut self, keep: impl Fn(&Owner) -> bool) -> Result<usize, Error> {
        self.attempt(|channel| {
            let mut batch = Batch::guarded(channel.generation()?);
            let mut removed = 0;
            for set in NETWORK_SETS {
                let elements = table::elements(channel, &PACKETS, set)?;
                removed += owners::disown(&mut batch, set, &elements, &keep);
            }
            removed += ports::retain(channel, &mut batch, &keep)?;
            for set in [&SPOOF_PORTS, &SPOOF_ALLOWED] {
                let elements = ownerless(channel, &FRAMES, set, &keep)?;
                batch.delete(&FRAMES, set, &elements);
                removed += elements.len();
            }
            channel.commit(batch)?;
            Ok(removed)
        })
        .map_err(|source| Error::Retain { source })
    }

    /// Removes those of our tables that have no elements, and what we made in iptables' stead and nobody has a rule in:
    /// the host is as if we had never been there.
    ///
    /// # Errors
    /// [`Error::RemoveTable`].
    pub fn remove_empty_tables(&mut self) -> Result<Removed, Error> {
        let mut removed = Removed::Before;
        let mut note = |result: Result<Removed, channel::Error>, table: String| match result {
            Ok(Removed::Before) => Ok(()),
            Ok(Removed::Now) => {
                removed = Removed::Now;
                Ok(())
            }
            Err(source) => Err(Error::RemoveTable { table, source }),
        };
        for table in TABLES {
            note(self.attempt(|channel| table::remove_if_empty(channel, table)), table.title())?;
        }
        for (family, word) in [(NetfilterProtoFamily::IPv4, "ip"), (NetfilterProtoFamily::IPv6, "ip6")] {
            for table in [&FILTER, &NAT] {
                let result = self.attempt(|channel| sweep::remove_idle(channel, family, table));
                note(result, format!("table {word} {}", table.name))?;
            }
        }
        Ok(removed)
    }
}

fn ownerless(
    channel: &mut Channel,
    table: &Table,
    set: &Set,
    keep: impl Fn(&Owner) -> bool,
) -> Result<Vec<Element>, channel::Error> {
    let mut elements = table::elements(channel, table, set)?;
    elements.retain(|element| {
        let comment = element.comment().unwrap_or_default();
        !comment.is_empty() && !keep(&Owner::from_comment(SpoofCheck::owner_of_port(comment)))
    });
    Ok(elements)
}
