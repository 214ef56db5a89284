//! What must be there before a container's own lines: the chains that all containers share, and the container's
//! chain.
//!
//! Not by `iptables-restore`: it makes its script for the table as it was when it began, and when somebody else is
//! quicker it does not begin anew. For a chain that exists by then it empties that chain instead of failing, and
//! other containers lose their ports. Here a transaction happens only while the table is as it was seen.

use netlink_packet_netfilter::nftables::InetHookNumber;

use super::{KernelRule, Table, steps};
use crate::batch::Batch;
use crate::channel;
use crate::foreign::{self, Step};
use crate::iptables::NAT;
use crate::iptables::publish::label::{DNAT, MASQUERADE, SET_MARK};
use crate::iptables::publish::shared;
use crate::message;

/// `NF_IP_PRI_NAT_DST` and `NF_IP_PRI_NAT_SRC`.
const DESTINATION_PRIORITY: i32 = -100;
const SOURCE_PRIORITY: i32 = 100;

/// What was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iptables::publish) struct Prepared {
    /// Whether the container had a chain already.
    pub(in crate::iptables::publish) had_chain: bool,
    /// Whether something was added that all containers share.
    pub(in crate::iptables::publish) has_changed: bool,
}

/// A way into a shared chain.
struct Way {
    from: &'static str,
    base: foreign::Way,
    to: &'static str,
}

impl Table<'_> {
    /// Makes whatever is missing of the shared chains and the container's own. While that exists, nobody takes away
    /// what it needs.
    pub(in crate::iptables::publish) fn prepare(
        &mut self,
        own: &str,
        mark: Option<u32>,
    ) -> Result<Prepared, channel::Error> {
        let mut batch = Batch::guarded(self.channel.generation()?);
        if self.channel.ask(vec![(self.family, message::get_named_table(NAT))])?.iter().all(Option::is_none) {
            batch.create_foreign_table(self.place(DNAT));
        }
        for way in ways(mark) {
            if !self.has(way.from)? {
                batch.create_base_chain(self.place(way.from), &way.base);
            }
        }
        let marking = mark.map(|_| [SET_MARK, MASQUERADE]).into_iter().flatten();
        for chain in [DNAT].into_iter().chain(marking) {
            if !self.has(chain)? {
                batch.create_foreign_chain(self.place(chain));
            }
        }
        for way in ways(mark) {
            self.lead(&mut batch, &way)?;
        }
        if let Some(mark) = mark {
            self.mark(&mut batch, mark)?;
        }
        let has_changed = !batch.changes.is_empty();
        let had_chain = self.has(own)?;
        if !had_chain {
            batch.create_foreign_chain(self.place(own));
        }
        self.channel.commit(batch)?;
        Ok(Prepared { had_chain, has_changed })
    }

    fn has(&mut self, chain: &str) -> Result<bool, channel::Error> {
        Ok(self.uses(&[chain])?.iter().any(Option::is_some))
    }

    /// Sees to it that exactly one rule leads that way: processes of the reference that look at the same moment
    /// make two.
    fn lead(&mut self, batch: &mut Batch, way: &Way) -> Result<(), channel::Error> {
        let rules = self.rules_of(way.from)?;
        let mut jumps = rules.iter().filter(|rule| rule.rule.leads_to(way.to));
        if jumps.next().is_none() {
            let (before, first) = match way.to {
                // First, or a rule that accepts would keep packets from here.
                MASQUERADE => {
                    (rules.first().map(KernelRule::handle), Step::comment(shared::MASQUERADE_COMMENT))
                }
                _ => (None, steps::is_local()),
            };
            let rule = [first, Step::Count, Step::Jump(way.to.to_owned())];
            batch.add_rule(self.place(way.from), before, &rule, None);
        }
        for further in jumps {
            batch.delete_rule(self.family, NAT, way.from, further.handle);
        }
        Ok(())
    }

    /// Sees to it that this mark is set, and masqueraded, beside those of other networks.
    fn mark(&mut self, batch: &mut Batch, mark: u32) -> Result<(), channel::Error> {
        let is_for = |rules: Vec<KernelRule>| rules.iter().any(|rule| rule.rule.marks.contains(&mark));
        if !is_for(self.rules_of(SET_MARK)?) {
            let rule = [Step::comment(shared::SET_MARK_COMMENT), Step::Count, steps::set_mark(mark)];
            batch.add_rule(self.place(SET_MARK), None, &rule, None);
        }
        if !is_for(self.rules_of(MASQUERADE)?) {
            let mut rule = steps::has_mark(mark).to_vec();
            rule.extend([Step::Count, steps::masquerade(self.family)]);
            batch.add_rule(self.place(MASQUERADE), None, &rule, None);
        }
        Ok(())
    }
}

fn ways(mark: Option<u32>) -> impl Iterator<Item = Way> {
    let way = |from, hook, priority, to| Way { from, base: foreign::Way { kind: "nat", hook, priority }, to };
    let ways = [
        way("PREROUTING", InetHookNumber::PreRouting, DESTINATION_PRIORITY, DNAT),
        way("OUTPUT", InetHookNumber::LocalOut, DESTINATION_PRIORITY, DNAT),
    ];
    let out = mark.map(|_| way("POSTROUTING", InetHookNumber::PostRouting, SOURCE_PRIORITY, MASQUERADE));
    ways.into_iter().chain(out)
}
