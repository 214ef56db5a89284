//! A set of addresses in a table that is not ours.

use std::net::IpAddr;

use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{
    ListAttribute, NfTablesMessage, SetAttribute, SetElementList, SetElementMessage, SetFlags, SetMessage,
};

use crate::batch::Batch;
use crate::channel::{Channel, Error, Question};
use crate::element::Element;
use crate::message;
use crate::wire;

/// `NFTA_SET_TABLE` and `NFTA_SET_NAME`.
const SET_TABLE: u16 = 1;
const SET_NAME: u16 = 2;
/// libnftables' `TYPE_IPADDR` and `TYPE_IP6ADDR`.
const IPV4_TYPE: u32 = 7;
const IPV6_TYPE: u32 = 8;
/// That a key's bytes are in network order, as libnftables packs it; `nft list` prints the addresses reversed without.
const NETWORK_ORDER: [u8; 2] = [0, 4];

/// A set of somebody's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetPlace {
    pub(crate) family: NetfilterProtoFamily,
    pub(crate) table: String,
    pub(crate) name: &'static str,
}

impl SetPlace {
    /// Asks whether it is there.
    pub(crate) fn question(&self) -> Question {
        let attributes =
            vec![SetAttribute::Table(self.table.clone()), SetAttribute::Name(self.name.to_owned())];
        (self.family, NfTablesMessage::GetSet(SetMessage { attributes }))
    }

    /// Asks for the element of an address.
    pub(crate) fn element_question(&self, address: IpAddr) -> Question {
        let message = self.elements_message(&[element(address)]);
        (self.family, NfTablesMessage::GetSetElement(message))
    }

    /// All elements; none if there is no such set.
    pub(crate) fn elements(&self, channel: &mut Channel) -> Result<Vec<Element>, Error> {
        let all = NfTablesMessage::GetSetElement(SetElementMessage { attributes: self.names() });
        let messages = channel.list(self.family, all)?;
        Ok(messages.iter().flat_map(|message| Element::parse_list(message)).collect())
    }

    /// Makes the set. `id` tells the sets of one transaction apart.
    pub(crate) fn create(&self, batch: &mut Batch, id: u32, is_ipv4: bool) {
        let (key_type, length) = if is_ipv4 { (IPV4_TYPE, 4) } else { (IPV6_TYPE, 16) };
        let mut userdata = NETWORK_ORDER.to_vec();
        userdata.extend(2_u32.to_ne_bytes());
        let attributes = vec![
            SetAttribute::Table(self.table.clone()),
            SetAttribute::Name(self.name.to_owned()),
            SetAttribute::Flags(SetFlags::empty()),
            SetAttribute::KeyType(key_type),
            SetAttribute::KeyLen(length),
            SetAttribute::Id(id),
            SetAttribute::UserData(userdata),
        ];
        batch.change(self.family, NfTablesMessage::NewSet(SetMessage { attributes }));
    }

    /// Adds elements.
    pub(crate) fn add(&self, batch: &mut Batch, elements: &[Element]) {
        batch.change(self.family, NfTablesMessage::NewSetElement(self.elements_message(elements)));
    }

    /// Deletes elements.
    pub(crate) fn delete(&self, batch: &mut Batch, elements: &[Element]) {
        batch.change(self.family, NfTablesMessage::DeleteSetElement(self.elements_message(elements)));
    }

    /// Removes the set, which no rule may use any more.
    pub(crate) fn remove(&self, batch: &mut Batch) {
        let attributes =
            vec![SetAttribute::Table(self.table.clone()), SetAttribute::Name(self.name.to_owned())];
        batch.change(self.family, NfTablesMessage::DeleteSet(SetMessage { attributes }));
    }

    fn elements_message(&self, elements: &[Element]) -> SetElementMessage {
        let mut attributes = self.names();
        let elements =
            elements.iter().map(|element| ListAttribute::Element(message::element_attributes(element)));
        attributes.push(SetElementList::Elements(elements.collect()));
        SetElementMessage { attributes }
    }

    fn names(&self) -> Vec<SetElementList> {
        vec![SetElementList::Table(self.table.clone()), SetElementList::Set(self.name.to_owned())]
    }
}

/// The sets of one of these names, in all tables of a family.
pub(crate) fn find_named(
    channel: &mut Channel,
    family: NetfilterProtoFamily,
    names: &[&'static str],
) -> Result<Vec<SetPlace>, Error> {
    let all = NfTablesMessage::GetSet(SetMessage { attributes: Vec::new() });
    let sets = channel.list(family, all)?;
    let ours = |set: &Vec<u8>| {
        let found = wire::attribute(set, SET_NAME).and_then(wire::text)?;
        let name = *names.iter().find(|name| **name == found)?;
        let table = wire::attribute(set, SET_TABLE).and_then(wire::text)?.to_owned();
        Some(SetPlace { family, table, name })
    };
    Ok(sets.iter().filter_map(ours).collect())
}

/// The element of an address, without a comment.
pub(crate) fn element(address: IpAddr) -> Element {
    let key = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    Element { key, key_end: None, data: None, userdata: Vec::new() }
}
