//! From values to nf_tables messages.

use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, DataAttribute, Hook as HookAttribute, HookNumber, InetHookNumber,
    ListAttribute, NfTablesMessage, RuleAttribute, RuleMessage, SetAttribute, SetDescription,
    SetElementAttribute, SetElementList, SetElementMessage, SetFlags, SetMessage, TableAttribute,
    TableMessage,
};

use crate::element::{self, Element};
use crate::expression;
use crate::ruleset::{Base, Chain, ChainKind, DataType, Family, Hook, Priority, Rule, Set, Table};

/// `NFTA_DATA_VALUE`: plain bytes.
const DATA_VALUE: u16 = 1;
/// `NFTA_SET_FIELD_LEN` in `NFTA_LIST_ELEM`, which describe a part of a concatenated key.
const SET_FIELD_LEN: u16 = 1;
const LIST_ELEM: u16 = 1 | netlink_packet_core::NLA_F_NESTED;
/// `NF_ACCEPT`: what a base chain does with a packet that no rule took.
const ACCEPT: u32 = 1;
/// libnftables packs the numbers of a concatenation's data types into one, six bits each.
const TYPE_BITS: u32 = 6;
/// `NFTNL_UDATA_SET_KEYBYTEORDER`, `NFTNL_UDATA_SET_DATABYTEORDER` and libnftables' `enum byteorder`.
const UDATA_KEY_BYTE_ORDER: u8 = 0;
const UDATA_DATA_BYTE_ORDER: u8 = 1;
const NO_ORDER: u32 = 0;
const HOST_ORDER: u32 = 1;
const NETWORK_ORDER: u32 = 2;

impl From<Family> for NetfilterProtoFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::Inet => Self::Inet,
            Family::Bridge => Self::Bridge,
        }
    }
}

pub(crate) fn new_table(table: &Table) -> NfTablesMessage {
    NfTablesMessage::NewTable(named_table(table))
}

pub(crate) fn get_table(table: &Table) -> NfTablesMessage {
    NfTablesMessage::GetTable(named_table(table))
}

/// Asks for any table, ours or not.
pub(crate) fn get_named_table(name: &str) -> NfTablesMessage {
    NfTablesMessage::GetTable(TableMessage { attributes: vec![TableAttribute::Name(name.to_owned())] })
}

pub(crate) fn delete_table(table: &Table) -> NfTablesMessage {
    NfTablesMessage::DeleteTable(named_table(table))
}

fn named_table(table: &Table) -> TableMessage {
    TableMessage { attributes: vec![TableAttribute::Name(table.name.to_owned())] }
}

pub(crate) fn new_chain(table: &Table, chain: &Chain) -> NfTablesMessage {
    let mut attributes =
        vec![ChainAttribute::Table(table.name.to_owned()), ChainAttribute::Name(chain.name.to_owned())];
    attributes.extend(chain.base.map(base_attributes).into_iter().flatten());
    attributes.push(ChainAttribute::UserData(element::comment_userdata(&Chain::comment(table.version))));
    NfTablesMessage::NewChain(ChainMessage { attributes })
}

fn base_attributes(base: Base) -> [ChainAttribute; 3] {
    let (hook, priority) = (hook_number(base.hook), priority_number(base.priority));
    let kind = match base.kind {
        ChainKind::Filter => "filter",
        ChainKind::Nat => "nat",
    };
    [
        ChainAttribute::Hook(vec![
            HookAttribute::Number(HookNumber::Inet(hook)),
            HookAttribute::Priority(priority.cast_unsigned()),
        ]),
        ChainAttribute::Type(kind.to_owned()),
        ChainAttribute::Policy(ACCEPT),
    ]
}

/// Asks for a chain of any table, ours or not.
pub(crate) fn get_chain(table: &str, chain: &str) -> NfTablesMessage {
    let attributes = vec![ChainAttribute::Table(table.to_owned()), ChainAttribute::Name(chain.to_owned())];
    NfTablesMessage::GetChain(ChainMessage { attributes })
}

/// The numbers of `enum nf_inet_hooks`; those of bridges are the same.
fn hook_number(hook: Hook) -> InetHookNumber {
    match hook {
        Hook::Prerouting => InetHookNumber::PreRouting,
        Hook::Forward => InetHookNumber::Forward,
        Hook::Output => InetHookNumber::LocalOut,
        Hook::Postrouting => InetHookNumber::PostRouting,
    }
}

fn priority_number(priority: Priority) -> i32 {
    match priority {
        Priority::Raw | Priority::BridgeDestinationNat => -300,
        Priority::DestinationNat => -100,
        Priority::Filter => 0,
        Priority::SourceNat => 100,
    }
}

pub(crate) fn new_rule(table: &Table, chain: &Chain, rule: &Rule) -> NfTablesMessage {
    NfTablesMessage::NewRule(RuleMessage {
        attributes: vec![
            RuleAttribute::Table(table.name.to_owned()),
            RuleAttribute::Chain(chain.name.to_owned()),
            RuleAttribute::Expressions(expression::compile(table.family, rule)),
        ],
    })
}

/// `id` tells the sets of one transaction apart.
pub(crate) fn new_set(table: &Table, set: &Set, id: u32) -> NfTablesMessage {
    let mut flags = SetFlags::empty();
    if set.interval {
        // Only a set of ranges has to know where the parts of a key begin.
        flags |= SetFlags::Interval | SetFlags::Concat;
    }
    if set.is_map() {
        flags |= SetFlags::Map;
    }
    let mut attributes = vec![
        SetAttribute::Table(table.name.to_owned()),
        SetAttribute::Name(set.name.to_owned()),
        SetAttribute::Flags(flags),
        SetAttribute::KeyType(packed_types(set.key)),
        SetAttribute::KeyLen(padded_len(set.key)),
    ];
    if set.is_map() {
        attributes.push(SetAttribute::DataType(packed_types(set.data)));
        attributes.push(SetAttribute::DataLen(padded_len(set.data)));
    }
    attributes.push(SetAttribute::Id(id));
    attributes.push(SetAttribute::UserData(byte_order_userdata(set)));
    if set.interval {
        let parts = set.key.iter().map(|part| set_field(*part)).collect();
        attributes.push(SetAttribute::Description(vec![SetDescription::Concat(parts)]));
    }
    NfTablesMessage::NewSet(SetMessage { attributes })
}

fn packed_types(parts: &[DataType]) -> u32 {
    parts.iter().fold(0, |packed, part| packed << TYPE_BITS | type_number(*part))
}

fn padded_len(parts: &[DataType]) -> u32 {
    parts.iter().fold(0, |sum, part| sum + part.padded_len() as u32)
}

/// The numbers of libnftables (`enum datatypes`); to the kernel they mean nothing, `nft list` needs them.
fn type_number(part: DataType) -> u32 {
    match part {
        DataType::Ipv4Address => 7,
        DataType::Ipv6Address => 8,
        DataType::MacAddress => 9,
        DataType::Protocol => 12,
        DataType::Port => 13,
        DataType::InterfaceName => 41,
    }
}

/// The kernel does not care for the order of a key's bytes, `nft list` does: without this it prints empty
/// names of interfaces. A concatenation has none of its own.
fn byte_order_userdata(set: &Set) -> Vec<u8> {
    let mut userdata = byte_order(UDATA_KEY_BYTE_ORDER, set.key);
    if set.is_map() {
        userdata.extend(byte_order(UDATA_DATA_BYTE_ORDER, set.data));
    }
    userdata
}

fn byte_order(kind: u8, parts: &[DataType]) -> Vec<u8> {
    let order: u32 = match parts {
        [DataType::InterfaceName] => HOST_ORDER,
        [_] => NETWORK_ORDER,
        _ => NO_ORDER,
    };
    let mut userdata = vec![kind, size_of_val(&order) as u8];
    userdata.extend(order.to_ne_bytes());
    userdata
}

fn set_field(part: DataType) -> DefaultNla {
    let length = DefaultNla::new(SET_FIELD_LEN, (part.len() as u32).to_be_bytes().to_vec());
    let mut value = vec![0; length.buffer_len()];
    length.emit(&mut value);
    DefaultNla::new(LIST_ELEM, value)
}

pub(crate) fn new_elements(table: &Table, set: &Set, elements: &[Element]) -> NfTablesMessage {
    NfTablesMessage::NewSetElement(element_list(table, set, elements))
}

pub(crate) fn get_element(table: &Table, set: &Set, element: &Element) -> NfTablesMessage {
    NfTablesMessage::GetSetElement(element_list(table, set, std::slice::from_ref(element)))
}

/// Asks for all elements of a set.
pub(crate) fn get_elements(table: &Table, set: &Set) -> NfTablesMessage {
    NfTablesMessage::GetSetElement(SetElementMessage { attributes: set_name(table, set) })
}

pub(crate) fn delete_elements(table: &Table, set: &Set, elements: &[Element]) -> NfTablesMessage {
    NfTablesMessage::DeleteSetElement(element_list(table, set, elements))
}

fn element_list(table: &Table, set: &Set, elements: &[Element]) -> SetElementMessage {
    let mut attributes = set_name(table, set);
    let elements = elements.iter().map(|element| ListAttribute::Element(element_attributes(element)));
    attributes.push(SetElementList::Elements(elements.collect()));
    SetElementMessage { attributes }
}

fn set_name(table: &Table, set: &Set) -> Vec<SetElementList> {
    vec![SetElementList::Table(table.name.to_owned()), SetElementList::Set(set.name.to_owned())]
}

pub(crate) fn element_attributes(element: &Element) -> Vec<SetElementAttribute> {
    let mut attributes = vec![SetElementAttribute::Key(DataAttribute::Value(element.key.clone()))];
    if let Some(end) = &element.key_end {
        attributes.push(SetElementAttribute::KeyEnd(vec![DefaultNla::new(DATA_VALUE, end.clone())]));
    }
    if let Some(data) = &element.data {
        attributes.push(SetElementAttribute::Data(DataAttribute::Value(data.clone())));
    }
    if !element.userdata.is_empty() {
        attributes.push(SetElementAttribute::UserData(element.userdata.clone()));
    }
    attributes
}

/// Asks for all rules of a chain of any table, ours or not.
pub(crate) fn get_rules(table: &str, chain: &str) -> NfTablesMessage {
    let attributes = vec![RuleAttribute::Table(table.to_owned()), RuleAttribute::Chain(chain.to_owned())];
    NfTablesMessage::GetRule(RuleMessage { attributes })
}

/// Deletes all rules of a chain.
pub(crate) fn flush_chain(table: &str, chain: &str) -> NfTablesMessage {
    let attributes = vec![RuleAttribute::Table(table.to_owned()), RuleAttribute::Chain(chain.to_owned())];
    NfTablesMessage::DeleteRule(RuleMessage { attributes })
}

pub(crate) fn delete_chain(table: &str, chain: &str) -> NfTablesMessage {
    let attributes = vec![ChainAttribute::Table(table.to_owned()), ChainAttribute::Name(chain.to_owned())];
    NfTablesMessage::DeleteChain(ChainMessage { attributes })
}

pub(crate) fn delete_rule(table: &str, chain: &str, handle: u64) -> NfTablesMessage {
    NfTablesMessage::DeleteRule(RuleMessage {
        attributes: vec![
            RuleAttribute::Table(table.to_owned()),
            RuleAttribute::Chain(chain.to_owned()),
            RuleAttribute::Handle(handle),
        ],
    })
}
