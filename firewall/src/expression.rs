//! From a rule to the kernel's expressions: load into registers, compare, decide.
//!
//! The bytecode is the one that `nft --debug=netlink` shows for the same text, so that `nft list` finds the
//! text again.

use netlink_packet_netfilter::nftables::{
    Bitwise, Cmp, DataAttribute, ExpressionAttribute, Expressions, Immediate, ListAttribute, Lookup, Meta,
    MetaKey, Operator, Payload, Register, Verdict as VerdictCode, VerdictAttribute,
};

use crate::ruleset::{Family, Field, Match, Prefix, Rule, Verdict};

type Expression = ListAttribute<ExpressionAttribute>;

/// `NFT_REG32_00`: the first of the sixteen registers of four bytes, in which a key is put together.
const FIRST_REGISTER: u32 = 8;
/// `enum nft_payload_bases`.
const LINK_HEADER: u32 = 0;
const NETWORK_HEADER: u32 = 1;
/// `NFT_LOOKUP_F_INV`: true when the key is *not* in the set.
const INVERTED: u32 = 1;
/// `NF_DROP`.
const DROP: u32 = 0;
/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const IPV4: u8 = 2;
const IPV6: u8 = 10;

/// Translates a rule of a table of `family`.
pub(crate) fn compile(family: Family, rule: &Rule) -> Vec<Expression> {
    let mut expressions = Vec::new();
    // Where IPv4 and IPv6 packets pass, a rule that reads an IP header must first make sure of which.
    if family == Family::Inet
        && let Some(version) = rule.matches.iter().find_map(ip_version)
    {
        expressions.push(load_meta(MetaKey::Nfproto, 0));
        expressions.push(compare(&[version]));
    }
    for condition in rule.matches {
        match condition {
            Match::Prefix(field, prefix) => expressions.extend(compare_prefix(*field, prefix)),
            Match::In(fields, set) => expressions.extend(look_up(fields, set, 0)),
            Match::NotIn(fields, set) => expressions.extend(look_up(fields, set, INVERTED)),
        }
    }
    expressions.push(decide(rule.verdict));
    expressions
}

fn ip_version(condition: &Match) -> Option<u8> {
    let fields = match condition {
        Match::Prefix(field, _) => std::slice::from_ref(field),
        Match::In(fields, _) | Match::NotIn(fields, _) => fields,
    };
    fields.iter().find_map(|field| match field {
        Field::Ipv4Source | Field::Ipv4Destination => Some(IPV4),
        Field::Ipv6Source | Field::Ipv6Destination => Some(IPV6),
        Field::InputInterface | Field::MacSource => None,
    })
}

fn compare_prefix(field: Field, prefix: &Prefix) -> Vec<Expression> {
    let mut expressions = vec![load_first(field, prefix.bits.len(), 0)];
    // A prefix of whole bytes needs no mask: only these bytes were loaded.
    if prefix.mask.iter().any(|byte| *byte != u8::MAX) {
        expressions.push(mask(prefix.mask));
    }
    expressions.push(compare(prefix.bits));
    expressions
}

fn look_up(fields: &[Field], set: &str, flags: u32) -> Vec<Expression> {
    let mut expressions = Vec::with_capacity(fields.len() + 1);
    let mut offset = 0;
    for field in fields {
        expressions.push(load_first(*field, field.data_type().len(), offset));
        offset += field.data_type().padded_len();
    }
    let mut lookup = vec![Lookup::Set(set.to_owned()), Lookup::SourceRegister(register(0))];
    if flags != 0 {
        lookup.push(Lookup::Flags(flags));
    }
    expressions.push(Expressions::Lookup(lookup).into());
    expressions
}

/// Loads the first `length` bytes of a field to `offset` of the key.
fn load_first(field: Field, length: usize, offset: usize) -> Expression {
    let (base, start) = match field {
        Field::InputInterface => return load_meta(MetaKey::Iifname, offset),
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

fn compare(bytes: &[u8]) -> Expression {
    Expressions::Cmp(vec![
        Cmp::SourceRegister(register(0)),
        Cmp::Op(Operator::Equal),
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
    let code = match verdict {
        Verdict::Drop => VerdictCode::Other(DROP),
        Verdict::Return => VerdictCode::Return,
        Verdict::Masquerade => {
            return Expressions::Other { expression_type: "masq".to_owned(), attributes: Vec::new() }.into();
        }
    };
    Expressions::Immediate(vec![
        Immediate::DestinationRegister(Register::Verdict),
        Immediate::Data(DataAttribute::Verdict(vec![VerdictAttribute::Code(code)])),
    ])
    .into()
}

fn register(offset: usize) -> Register {
    Register::from(FIRST_REGISTER + (offset / 4) as u32)
}
