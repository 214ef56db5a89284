//! A transaction: changes that happen together or not at all.

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::NfTablesMessage;

use crate::channel::Request;
use crate::element::Element;
use crate::message;
use crate::ruleset::{Set, Table};

/// An attribute's length has 16 bits; so many elements with the longest comments stay below 64 KiB.
const ELEMENTS_A_MESSAGE: usize = 200;

/// The changes of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    /// Only while the ruleset is still of this generation.
    pub(crate) generation: Option<u32>,
}

/// One change.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) family: NetfilterProtoFamily,
    pub(crate) message: NfTablesMessage,
    /// Whether the transaction fails if what is made is there already.
    pub(crate) exclusive: bool,
}

impl Batch {
    /// A transaction that is refused if anything changes between the look at `generation` and its end.
    /// That refusal is cheap: unlike every other one it undoes nothing and waits for nobody.
    pub(crate) fn guarded(generation: u32) -> Self {
        Self { changes: Vec::new(), generation: Some(generation) }
    }

    /// Makes a table with all that is in it, but no elements.
    pub(crate) fn create_table(&mut self, table: &Table) {
        self.push(table, message::new_table(table));
        for (position, set) in table.sets.iter().enumerate() {
            self.push(table, message::new_set(table, set, position as u32 + 1));
        }
        for chain in table.chains {
            self.push(table, message::new_chain(table, chain));
            for rule in chain.rules {
                self.push(table, message::new_rule(table, chain, rule));
            }
        }
    }

    pub(crate) fn delete_table(&mut self, table: &Table) {
        self.push(table, message::delete_table(table));
    }

    pub(crate) fn add(&mut self, table: &Table, set: &Set, elements: &[Element]) {
        for some in elements.chunks(ELEMENTS_A_MESSAGE) {
            self.push(table, message::new_elements(table, set, some));
        }
    }

    /// Adds elements none of which may be there already.
    pub(crate) fn claim(&mut self, table: &Table, set: &Set, elements: &[Element]) {
        for some in elements.chunks(ELEMENTS_A_MESSAGE) {
            let message = message::new_elements(table, set, some);
            self.changes.push(Change { family: table.family.into(), message, exclusive: true });
        }
    }

    pub(crate) fn delete(&mut self, table: &Table, set: &Set, elements: &[Element]) {
        for some in elements.chunks(ELEMENTS_A_MESSAGE) {
            self.push(table, message::delete_elements(table, set, some));
        }
    }

    /// Deletes a rule of a table that is not ours.
    pub(crate) fn delete_rule(
        &mut self,
        family: NetfilterProtoFamily,
        table: &str,
        chain: &str,
        handle: u64,
    ) {
        let message = message::delete_rule(table, chain, handle);
        self.changes.push(Change { family, message, exclusive: false });
    }

    /// Deletes a chain of a table that is not ours, with all of its rules.
    pub(crate) fn delete_chain(&mut self, family: NetfilterProtoFamily, table: &str, chain: &str) {
        for message in [message::flush_chain(table, chain), message::delete_chain(table, chain)] {
            self.changes.push(Change { family, message, exclusive: false });
        }
    }

    fn push(&mut self, table: &Table, message: NfTablesMessage) {
        self.changes.push(Change { family: table.family.into(), message, exclusive: false });
    }

    /// Whether anything is deleted, for which somebody will have to wait.
    pub(crate) fn deletes(&self) -> bool {
        use Request::{DeleteChain, DeleteElements, DeleteRules, DeleteTable};
        let mut requests = self.changes.iter().map(Change::request);
        requests.any(|request| matches!(request, DeleteChain | DeleteElements | DeleteRules | DeleteTable))
    }
}

impl Change {
    /// What it asks for, as an error names it.
    pub(crate) fn request(&self) -> Request {
        match self.message {
            NfTablesMessage::NewTable(_) => Request::MakeTable,
            NfTablesMessage::NewSet(_) => Request::MakeSet,
            NfTablesMessage::NewChain(_) => Request::MakeChain,
            NfTablesMessage::NewRule(_) => Request::AddRule,
            NfTablesMessage::NewSetElement(_) => Request::AddElements,
            NfTablesMessage::DeleteTable(_) => Request::DeleteTable,
            NfTablesMessage::DeleteSet(_) => Request::DeleteSet,
            NfTablesMessage::DeleteChain(_) => Request::DeleteChain,
            NfTablesMessage::DeleteRule(_) => Request::DeleteRules,
            NfTablesMessage::DeleteSetElement(_) => Request::DeleteElements,
            _ => Request::Show,
        }
    }
}
