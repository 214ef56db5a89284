//! A step of a rule, to the kernel's expression and back.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use netlink_packet_netfilter::nftables::{ExpressionAttribute, Expressions, ListAttribute};

use crate::wire;

/// `NFTA_LIST_ELEM` with `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
const LIST_ELEM: u16 = 1;
const EXPR_NAME: u16 = 1;
const EXPR_DATA: u16 = 2;
/// `NFTA_DATA_VALUE` and `NFTA_DATA_VERDICT` with `NFTA_VERDICT_CODE` and `NFTA_VERDICT_CHAIN`.
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
const VERDICT_CODE: u16 = 1;
const VERDICT_CHAIN: u16 = 2;
/// `NFT_REG_VERDICT`, and `NFT_REG_1`, which holds 16 bytes; one register is enough for our rules and iptables'.
const VERDICT_REGISTER: u32 = 0;
const REGISTER: u32 = 1;
/// `NFT_PAYLOAD_NETWORK_HEADER`.
const NETWORK_HEADER: u32 = 1;
/// `NFT_CMP_EQ` and `NFT_CMP_NEQ`.
const EQUAL: u32 = 0;
const NOT_EQUAL: u32 = 1;
/// `NFT_JUMP` as the kernel sends it.
const JUMP: u32 = (-3_i32).cast_unsigned();
/// The match of xtables that only says something.
const COMMENT: &str = "comment";

/// What a rule does with a packet, one after the other. All that compare end the rule when they do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Loads something about the packet (`enum nft_meta_keys`).
    LoadMeta(u32),
    /// Loads so many bytes of the IP header, from an offset.
    LoadHeader { offset: u32, length: u32 },
    /// Loads something about the packet's connection (`enum nft_ct_keys`).
    LoadConnection(u32),
    /// Keeps the bits of the mask.
    Mask(Vec<u8>),
    /// Compares what was loaded.
    Equal(Vec<u8>),
    /// Compares what was loaded.
    NotEqual(Vec<u8>),
    /// Looks for what was loaded in a set of the table.
    InSet(String),
    /// A match of xtables: its name, revision and structure.
    Extension { name: String, revision: u32, info: Vec<u8> },
    /// A target of xtables, likewise.
    Target { name: String, revision: u32, info: Vec<u8> },
    /// Counts the packet.
    Count,
    /// Asks the rules of another chain.
    Jump(String),
    /// Decides (`NF_DROP`, `NF_ACCEPT` or `NFT_RETURN`).
    Decide(u32),
    /// Something that we do not make.
    Unknown,
}

/// `struct xt_comment_info`: the text, filled up with zeros.
const COMMENT_LEN: usize = 256;

impl Step {
    /// A comment as iptables keeps it: a match that always holds.
    pub(crate) fn comment(text: &str) -> Self {
        let mut info = text.as_bytes().to_vec();
        // The last byte is a zero in any case.
        info.truncate(COMMENT_LEN - 1);
        info.resize(COMMENT_LEN, 0);
        Self::Extension { name: COMMENT.to_owned(), revision: 0, info }
    }

    /// Whether it is one.
    pub(crate) fn is_comment(&self) -> bool {
        matches!(self, Self::Extension { name, .. } if name == COMMENT)
    }

    /// The kernel's expression.
    pub(crate) fn compile(&self) -> ListAttribute<ExpressionAttribute> {
        let (kind, attributes) = match self {
            Self::LoadMeta(key) => ("meta", vec![number(1, REGISTER), number(2, *key)]),
            Self::LoadHeader { offset, length } => (
                "payload",
                vec![number(1, REGISTER), number(2, NETWORK_HEADER), number(3, *offset), number(4, *length)],
            ),
            Self::LoadConnection(key) => ("ct", vec![number(1, REGISTER), number(2, *key)]),
            Self::Mask(mask) => (
                "bitwise",
                vec![
                    number(1, REGISTER),
                    number(2, REGISTER),
                    number(3, mask.len() as u32),
                    value(4, mask),
                    value(5, &vec![0; mask.len()]),
                ],
            ),
            Self::Equal(bytes) => ("cmp", vec![number(1, REGISTER), number(2, EQUAL), value(3, bytes)]),
            Self::NotEqual(bytes) => {
                ("cmp", vec![number(1, REGISTER), number(2, NOT_EQUAL), value(3, bytes)])
            }
            Self::InSet(set) => ("lookup", vec![text(1, set), number(2, REGISTER)]),
            Self::Extension { name, revision, info } => ("match", extension(name, *revision, info)),
            Self::Target { name, revision, info } => ("target", extension(name, *revision, info)),
            Self::Count => ("counter", vec![long_number(1, 0), long_number(2, 0)]),
            Self::Jump(chain) => {
                ("immediate", decision(vec![number(VERDICT_CODE, JUMP), text(VERDICT_CHAIN, chain)]))
            }
            Self::Decide(code) => ("immediate", decision(vec![number(VERDICT_CODE, *code)])),
            // Never made by us; the kernel refuses an expression without a name.
            Self::Unknown => ("", Vec::new()),
        };
        Expressions::Other { expression_type: kind.to_owned(), attributes }.into()
    }

    fn parse(expression: &[u8]) -> Self {
        Self::try_parse(expression).unwrap_or(Self::Unknown)
    }

    fn try_parse(expression: &[u8]) -> Option<Self> {
        let data = wire::attribute(expression, EXPR_DATA).unwrap_or_default();
        let number = |kind| wire::attribute(data, kind).and_then(wire::number);
        let text = |kind| wire::attribute(data, kind).and_then(wire::text).map(str::to_owned);
        let bytes = |kind| wire::nested(data, &[kind, DATA_VALUE]).map(<[u8]>::to_vec);
        let uses_register = |kind| (number(kind) == Some(REGISTER)).then_some(());
        match wire::text(wire::attribute(expression, EXPR_NAME)?)? {
            "meta" => uses_register(1).and(number(2)).map(Self::LoadMeta),
            "payload" => {
                uses_register(1)?;
                let is_ip = number(2)? == NETWORK_HEADER;
                is_ip.then_some(Self::LoadHeader { offset: number(3)?, length: number(4)? })
            }
            "ct" => uses_register(1).and(number(2)).map(Self::LoadConnection),
            "bitwise" => {
                uses_register(1).and(uses_register(2))?;
                let is_mask = number(6).unwrap_or(0) == 0 && bytes(5)?.iter().all(|byte| *byte == 0);
                is_mask.then_some(Self::Mask(bytes(4)?))
            }
            "cmp" => match (uses_register(1).and(number(2))?, bytes(3)?) {
                (EQUAL, bytes) => Some(Self::Equal(bytes)),
                (NOT_EQUAL, bytes) => Some(Self::NotEqual(bytes)),
                _ => None,
            },
            "lookup" => {
                let is_plain = number(2)? == REGISTER && number(3).is_none() && number(5).unwrap_or(0) == 0;
                is_plain.then_some(Self::InSet(text(1)?))
            }
            kind @ ("match" | "target") => {
                let (name, revision, info) = (text(1)?, number(2)?, wire::attribute(data, 3)?.to_vec());
                Some(match kind {
                    "match" => Self::Extension { name, revision, info },
                    _ => Self::Target { name, revision, info },
                })
            }
            "counter" => Some(Self::Count),
            "immediate" => {
                let verdict = wire::nested(data, &[2, DATA_VERDICT])?;
                match wire::attribute(verdict, VERDICT_CODE).and_then(wire::number)? {
                    JUMP => wire::attribute(verdict, VERDICT_CHAIN)
                        .and_then(wire::text)
                        .map(|chain| Self::Jump(chain.to_owned())),
                    code => Some(Self::Decide(code)),
                }
            }
            _ => None,
        }
    }
}

/// The steps in a rule's list of expressions.
pub(super) fn parse_list(expressions: &[u8]) -> Vec<Step> {
    let list = wire::attributes(expressions).filter(|(kind, _)| *kind == LIST_ELEM);
    list.map(|(_, expression)| Step::parse(expression)).collect()
}

fn extension(name: &str, revision: u32, info: &[u8]) -> Vec<DefaultNla> {
    vec![text(1, name), number(2, revision), DefaultNla::new(3, info.to_vec())]
}

fn decision(verdict: Vec<DefaultNla>) -> Vec<DefaultNla> {
    vec![number(1, VERDICT_REGISTER), nested(2, vec![nested(DATA_VERDICT, verdict)])]
}

fn value(kind: u16, bytes: &[u8]) -> DefaultNla {
    nested(kind, vec![DefaultNla::new(DATA_VALUE, bytes.to_vec())])
}

fn number(kind: u16, number: u32) -> DefaultNla {
    DefaultNla::new(kind, number.to_be_bytes().to_vec())
}

fn long_number(kind: u16, number: u64) -> DefaultNla {
    DefaultNla::new(kind, number.to_be_bytes().to_vec())
}

fn text(kind: u16, text: &str) -> DefaultNla {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    DefaultNla::new(kind, bytes)
}

fn nested(kind: u16, attributes: Vec<DefaultNla>) -> DefaultNla {
    let mut bytes = vec![0; attributes.as_slice().buffer_len()];
    attributes.as_slice().emit(&mut bytes);
    DefaultNla::new(kind | NLA_F_NESTED, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_back() {
        let steps = [
            Step::LoadMeta(15),
            Step::LoadHeader { offset: 16, length: 4 },
            Step::LoadConnection(2),
            Step::Mask(vec![0x20, 0, 0, 0]),
            Step::Equal(vec![10, 0, 0, 1]),
            Step::NotEqual(vec![0; 4]),
            Step::InSet("netctl_forward4".to_owned()),
            Step::Extension { name: "comment".to_owned(), revision: 0, info: vec![1; 256] },
            Step::comment("a text"),
            Step::Target { name: "MARK".to_owned(), revision: 2, info: vec![1; 8] },
            Step::Count,
            Step::Jump("CNI-ADMIN".to_owned()),
            Step::Decide(1),
        ];
        let list: Vec<_> = steps.iter().map(Step::compile).collect();
        let mut bytes = vec![0; list.as_slice().buffer_len()];
        list.as_slice().emit(&mut bytes);
        assert_eq!(parse_list(&bytes), steps);
    }

    #[test]
    fn a_comparison_is_sent_as_iptables_sends_it() {
        // From a trace of `iptables -A FORWARD -d 10.0.0.2 …` (iptables 1.8.9).
        let expected = b"\x2c\x00\x01\x80\x08\x00\x01\x00cmp\x00\x20\x00\x02\x80\
            \x08\x00\x01\x00\x00\x00\x00\x01\x08\x00\x02\x00\x00\x00\x00\x00\
            \x0c\x00\x03\x80\x08\x00\x01\x00\x0a\x00\x00\x02";
        let compiled = Step::Equal(vec![10, 0, 0, 2]).compile();
        let mut bytes = vec![0; compiled.buffer_len()];
        compiled.emit(&mut bytes);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_foreign_or_torn_is_unknown() {
        assert_eq!(Step::parse(b""), Step::Unknown);
        assert_eq!(Step::parse(b"\x08\x00\x01\x00log\x00"), Step::Unknown);
        assert_eq!(Step::parse(b"\x08\x00\x01\x00cmp\x00"), Step::Unknown);
    }
}
