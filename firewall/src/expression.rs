//! From a rule to the kernel's expressions: load into registers, compare, decide.
//!
//! The bytecode is the one that `nft --debug=netlink` shows for the same text, so that `nft list` finds the
//! text again.

use netlink_packet_core::DefaultNla;
use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, ExpressionAttribute, Expressions, Immediate, ListAttribute, Lookup, Meta,
    MetaKey, Operator, Payload, Register, Verdict as VerdictCode, VerdictAttribute,
};

use crate::ruleset::{DataType, Family, Field, Match, Prefix, Rule, Set, Verdict};

type Expression = ListAttribute<ExpressionAttribute>;

/// `NFT_REG32_00`: the first of the sixteen registers of four bytes, in which a key is put together.
const FIRST_REGISTER: u32 = 8;
/// `enum nft_payload_bases`.
const LINK_HEADER: u32 = 0;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
/// `NFT_LOOKUP_F_INV`: true when the key is *not* in the set.
const INVERTED: u32 = 1;
/// `NF_DROP` and `NF_ACCEPT`.
const DROP: u32 = 0;
const ACCEPT: u32 = 1;
/// `NFTA_FIB_DREG`, `NFTA_FIB_RESULT`, `NFTA_FIB_FLAGS`; `NFT_FIB_RESULT_ADDRTYPE`, `NFTA_FIB_F_DADDR`; `RTN_LOCAL`.
const FIB_DREG: u16 = 1;
const FIB_RESULT: u16 = 2;
const FIB_FLAGS: u16 = 3;
const FIB_ADDRESS_TYPE: u32 = 3;
const FIB_OF_DESTINATION: u32 = 2;
const LOCAL: u32 = 2;
/// `NFTA_CT_DREG`, `NFTA_CT_KEY`; `NFT_CT_STATE`, `NFT_CT_STATUS`.
const CT_DREG: u16 = 1;
const CT_KEY: u16 = 2;
const CT_STATE: u32 = 0;
const CT_STATUS: u32 = 2;
/// `NF_CT_STATE_BIT` of established and related; `IPS_DST_NAT`.
const ESTABLISHED_OR_RELATED: u32 = 2 | 4;
const DESTINATION_NAT: u32 = 32;
/// `NFTA_NAT_*`: what is translated, of which family, by which registers; `NFT_NAT_DNAT`.
const NAT_TYPE: u16 = 1;
const NAT_FAMILY: u16 = 2;
const NAT_ADDRESSES: [u16; 2] = [3, 4];
const NAT_PORTS: [u16; 2] = [5, 6];
const NAT_DESTINATION: u32 = 1;
/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const IPV4: u8 = 2;
const IPV6: u8 = 10;

/// Translates a rule of a table of `family`.
pub(crate) fn compile(family: Family, rule: &Rule) -> Vec<Expression> {
    let mut expressions = Vec::new();
    let mut version_is_known = family != Family::Inet;
    for condition in rule.matches {
        let fields = condition.fields();
        // Where IPv4 and IPv6 packets pass, a rule that reads an IP header must first make sure of which.
        if !version_is_known && let Some(version) = ip_version(fields) {
            expressions.extend(check_version(version));
            version_is_known = true;
        }
        match condition {
            Match::Prefix(field, prefix) => expressions.extend(compare_prefix(*field, prefix)),
            Match::IsNot(field, text) => expressions.extend(compare_text(*field, text)),
            Match::In(fields, set) => expressions.extend(look_up(fields, set, 0)),
            Match::NotIn(fields, set) => expressions.extend(look_up(fields, set, INVERTED)),
            Match::ToHost => expressions.extend(compare_destination_type()),
            Match::Established => expressions.extend(any_bit_of(CT_STATE, ESTABLISHED_OR_RELATED)),
            Match::Redirected => expressions.extend(any_bit_of(CT_STATUS, DESTINATION_NAT)),
        }
    }
    match rule.verdict {
        Verdict::RedirectBy(fields, map) => {
            if !version_is_known && let Some(version) = ip_version(fields) {
                expressions.extend(check_version(version));
            }
            expressions.extend(redirect(fields, map));
        }
        verdict => expressions.push(decide(verdict)),
    }
    expressions
}

impl Match {
    fn fields(&self) -> &[Field] {
        match self {
            Self::Prefix(field, _) | Self::IsNot(field, _) => std::slice::from_ref(field),
            Self::In(fields, _) | Self::NotIn(fields, _) => fields,
            Self::ToHost | Self::Established | Self::Redirected => &[],
        }
    }
}

fn ip_version(fields: &[Field]) -> Option<u8> {
    fields.iter().find_map(|field| match field.data_type() {
        DataType::Ipv4Address => Some(IPV4),
        DataType::Ipv6Address => Some(IPV6),
        _ => None,
    })
}

fn check_version(version: u8) -> [Expression; 2] {
    [load_meta(MetaKey::Nfproto, 0), compare(Operator::Equal, &[version])]
}

fn compare_text(field: Field, text: &str) -> [Expression; 2] {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(field.data_type().len(), 0);
    [load_first(field, bytes.len(), 0), compare(Operator::NotEqual, &bytes)]
}

fn compare_destination_type() -> [Expression; 2] {
    let attributes = vec![
        number(FIB_DREG, register(0).into()),
        number(FIB_RESULT, FIB_ADDRESS_TYPE),
        number(FIB_FLAGS, FIB_OF_DESTINATION),
    ];
    [other("fib", attributes), compare(Operator::Equal, &LOCAL.to_ne_bytes())]
}

/// Whether what conntrack says under `key` has any of the `bits`.
fn any_bit_of(key: u32, bits: u32) -> [Expression; 3] {
    let load = vec![number(CT_DREG, register(0).into()), number(CT_KEY, key)];
    [other("ct", load), mask(&bits.to_ne_bytes()), compare(Operator::NotEqual, &[0; 4])]
}

/// What the map has takes the place of the key: the address, and behind it the port.
fn redirect(fields: &[Field], map: &Set) -> Vec<Expression> {
    let mut expressions = load_key(fields);
    expressions.push(
        Expressions::Lookup(vec![
            Lookup::Set(map.name.to_owned()),
            Lookup::SourceRegister(register(0)),
            Lookup::DestinationRegister(register(0)),
        ])
        .into(),
    );
    let (address_len, version) = match map.data {
        [DataType::Ipv6Address, ..] => (DataType::Ipv6Address.len(), IPV6),
        _ => (DataType::Ipv4Address.len(), IPV4),
    };
    let mut attributes = vec![number(NAT_TYPE, NAT_DESTINATION), number(NAT_FAMILY, version.into())];
    attributes.extend(NAT_ADDRESSES.map(|kind| number(kind, register(0).into())));
    attributes.extend(NAT_PORTS.map(|kind| number(kind, register(address_len).into())));
    expressions.push(other("nat", attributes));
    expressions
}

fn compare_prefix(field: Field, prefix: &Prefix) -> Vec<Expression> {
    let mut expressions = vec![load_first(field, prefix.bits.len(), 0)];
    // A prefix of whole bytes needs no mask: only these bytes were loaded.
    if prefix.mask.iter().any(|byte| *byte != u8::MAX) {
        expressions.push(mask(prefix.mask));
    }
    expressions.push(compare(Operator::Equal, prefix.bits));
    expressions
}

fn look_up(fields: &[Field], set: &Set, flags: u32) -> Vec<Expression> {
    let mut expressions = load_key(fields);
    let mut lookup = vec![Lookup::Set(set.name.to_owned()), Lookup::SourceRegister(register(0))];
    if flags != 0 {
        lookup.push(Lookup::Flags(flags));
    }
    expressions.push(Expressions::Lookup(lookup).into());
    expressions
}

/// Loads the fields one after the other.
fn load_key(fields: &[Field]) -> Vec<Expression> {
    let mut expressions = Vec::with_capacity(fields.len() + 2);
    let mut offset = 0;
    for field in fields {
        expressions.push(load_first(*field, field.data_type().len(), offset));
        offset += field.data_type().padded_len();
    }
    expressions
}

/// Loads the first `length` bytes of a field to `offset` of the key.
fn load_first(field: Field, length: usize, offset: usize) -> Expression {
    let (base, start) = match field {
        Field::InputInterface => return load_meta(MetaKey::Iifname, offset),
        Field::OutputInterface => return load_meta(MetaKey::Oifname, offset),
        Field::Protocol => return load_meta(MetaKey::L4Proto, offset),
        Field::DestinationPort => (TRANSPORT_HEADER, 2),
        Field::MacSource => (LINK_HEADER, 6),
        Field::Ipv4Source => (NETWORK_HEADER, 12),
        Field::Ipv4Destination => (NETWORK_HEADER, 16),
        Field::Ipv6Source => (NETWORK_HEADER, 8),
        Field::Ipv6Destination => (NETWORK_HEADER, 24),
    };
    Expressions::Payload(vec![
        Payload::DestinationRegister(register(offset)),
        Payload::Base(base),
        Payload::Offset(start),
        Payload::Len(length as u32),
    ])
    .into()
}

fn load_meta(key: MetaKey, offset: usize) -> Expression {
    Expressions::Meta(vec![Meta::Key(key), Meta::DestinationRegister(register(offset))]).into()
}

fn compare(operator: Operator, bytes: &[u8]) -> Expression {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(register(0)),
        Cmp::Op(operator),
        Cmp::Data(DataAttribute::Value(bytes.to_vec())),
    ])
    .into()
}

fn mask(bytes: &[u8]) -> Expression {
    Expressions::Bitwise(vec![
        Bitwise::SourceRegister(register(0)),
        Bitwise::DestinationRegister(register(0)),
        Bitwise::Length(bytes.len() as u32),
        Bitwise::Mask(DataAttribute::Value(bytes.to_vec())),
        Bitwise::Xor(DataAttribute::Value(vec![0; bytes.len()])),
    ])
    .into()
}

fn decide(verdict: Verdict) -> Expression {
    let mut verdict = match verdict {
        Verdict::Accept => vec![VerdictAttribute::Code(VerdictCode::Other(ACCEPT))],
        Verdict::Drop => vec![VerdictAttribute::Code(VerdictCode::Other(DROP))],
        Verdict::Return => vec![VerdictAttribute::Code(VerdictCode::Return)],
        Verdict::Jump(chain) => {
            vec![VerdictAttribute::Code(VerdictCode::Jump), VerdictAttribute::Chain(chain.to_owned())]
        }
        Verdict::Masquerade | Verdict::RedirectBy(..) => return other("masq", Vec::new()),
    };
    verdict.shrink_to_fit();
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(verdict)),
    ])
    .into()
}

/// An expression that the library has no words for.
fn other(name: &str, attributes: Vec<DefaultNla>) -> Expression {
    Expressions::Other { expression_type: name.to_owned(), attributes }.into()
}

fn number(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_be_bytes().to_vec())
}

fn register(offset: usize) -> Register {
    Register::from(FIRST_REGISTER + (offset / 4) as u32)
}
