//! Messages that make what iptables 1.8 makes for the same lines, so that it reads them as its own.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};
use netlink_packet_netfilter::NetfilterProtoFamily;
use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, ExpressionAttribute, Expressions, Hook as HookAttribute, HookNumber,
    InetHookNumber, ListAttribute, NfTablesMessage, RuleAttribute, RuleMessage, TableAttribute, TableMessage,
};

use crate::iptables::NAT;

pub(super) type Expression = ListAttribute<ExpressionAttribute>;

/// `NF_ACCEPT`.
const ACCEPT: u32 = 1;
/// `NFT_REG_VERDICT` and `NFT_REG_1`.
const VERDICT_REGISTER: u32 = 0;
const REGISTER: u32 = 1;
/// `NFT_META_MARK`, `NFT_CMP_EQ` and `NFT_JUMP`.
const META_MARK: u32 = 3;
const EQUAL: u32 = 0;
const JUMP: u32 = (-3_i32).cast_unsigned();
/// `NFTA_DATA_VALUE` and `NFTA_DATA_VERDICT`.
const DATA_VALUE: u16 = 1;
const DATA_VERDICT: u16 = 2;
/// `XT_MAX_COMMENT_LEN`.
const COMMENT_LEN: usize = 256;
/// `RTN_LOCAL`, as a bit of `struct xt_addrtype_info_v1`.
const LOCAL: u16 = 1 << 2;

pub(super) fn new_table() -> NfTablesMessage {
    NfTablesMessage::NewTable(TableMessage { attributes: vec![TableAttribute::Name(NAT.to_owned())] })
}

pub(super) fn new_chain(chain: &str) -> NfTablesMessage {
    NfTablesMessage::NewChain(ChainMessage { attributes: chain_name(chain) })
}

/// A chain through which packets pass by themselves.
pub(super) fn new_base_chain(chain: &str, hook: InetHookNumber, priority: i32) -> NfTablesMessage {
    let mut attributes = chain_name(chain);
    attributes.extend([
        ChainAttribute::Hook(vec![
            HookAttribute::Number(HookNumber::Inet(hook)),
            HookAttribute::Priority(priority.cast_unsigned()),
        ]),
        ChainAttribute::Policy(ACCEPT),
        ChainAttribute::Type("nat".to_owned()),
    ]);
    NfTablesMessage::NewChain(ChainMessage { attributes })
}

fn chain_name(chain: &str) -> Vec<ChainAttribute> {
    vec![ChainAttribute::Table(NAT.to_owned()), ChainAttribute::Name(chain.to_owned())]
}

/// A rule at the end of a chain, or before the one that has this handle.
pub(super) fn new_rule(chain: &str, before: Option<u64>, expressions: Vec<Expression>) -> NfTablesMessage {
    let mut attributes = vec![
        RuleAttribute::Table(NAT.to_owned()),
        RuleAttribute::Chain(chain.to_owned()),
        RuleAttribute::Expressions(expressions),
    ];
    attributes.extend(before.map(RuleAttribute::Position));
    NfTablesMessage::NewRule(RuleMessage { attributes })
}

/// `-m addrtype --dst-type LOCAL`
pub(super) fn is_local() -> Expression {
    let mut info = [0, LOCAL].map(u16::to_ne_bytes).concat();
    info.extend([0; 4]);
    extension("match", "addrtype", 1, info)
}

/// `-m comment --comment TEXT`
pub(super) fn comment(text: &str) -> Expression {
    let mut info = text.as_bytes().to_vec();
    info.resize(COMMENT_LEN, 0);
    extension("match", "comment", 0, info)
}

/// `-m mark --mark MARK/MARK`
pub(super) fn has_mark(mark: u32) -> [Expression; 3] {
    let bytes = mark.to_ne_bytes();
    [
        expression("meta", vec![number(1, REGISTER), number(2, META_MARK)]),
        expression(
            "bitwise",
            vec![
                number(1, REGISTER),
                number(2, REGISTER),
                number(3, size_of_val(&bytes) as u32),
                data(4, DATA_VALUE, &bytes),
                data(5, DATA_VALUE, &[0; 4]),
            ],
        ),
        expression("cmp", vec![number(1, REGISTER), number(2, EQUAL), data(3, DATA_VALUE, &bytes)]),
    ]
}

/// Counts packets, as every rule of iptables does.
pub(super) fn counter() -> Expression {
    let zero = |kind| DefaultNla::new(kind, vec![0; 8]);
    expression("counter", vec![zero(1), zero(2)])
}

/// `-j CHAIN`
pub(super) fn jump(chain: &str) -> Expression {
    let verdict = emit(&[number(1, JUMP), text(2, chain)]);
    expression("immediate", vec![number(1, VERDICT_REGISTER), data(2, DATA_VERDICT | NLA_F_NESTED, &verdict)])
}

/// `-j MARK --set-xmark MARK/MARK`: `struct xt_mark_tginfo2`.
pub(super) fn set_mark(mark: u32) -> Expression {
    extension("target", "MARK", 2, [mark, mark].map(u32::to_ne_bytes).concat())
}

/// `-j MASQUERADE`: a structure of an address range each, which says "any".
pub(super) fn masquerade(family: NetfilterProtoFamily) -> Expression {
    let info = match family {
        // `struct nf_nat_range`
        NetfilterProtoFamily::IPv6 => vec![0; 40],
        // `struct nf_nat_ipv4_multi_range_compat`: one range.
        _ => {
            let mut info = 1_u32.to_ne_bytes().to_vec();
            info.resize(24, 0);
            info
        }
    };
    extension("target", "MASQUERADE", 0, info)
}

/// A match or target of the old kind: its name, revision and structure.
fn extension(kind: &str, name: &str, revision: u32, info: Vec<u8>) -> Expression {
    expression(kind, vec![text(1, name), number(2, revision), DefaultNla::new(3, info)])
}

fn expression(name: &str, attributes: Vec<DefaultNla>) -> Expression {
    Expressions::Other { expression_type: name.to_owned(), attributes }.into()
}

fn number(kind: u16, number: u32) -> DefaultNla {
    DefaultNla::new(kind, number.to_be_bytes().to_vec())
}

fn text(kind: u16, text: &str) -> DefaultNla {
    DefaultNla::new(kind, [text.as_bytes(), &[0]].concat())
}

fn data(kind: u16, inner: u16, value: &[u8]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, emit(&[DefaultNla::new(inner, value.to_vec())]))
}

fn emit(attributes: &[DefaultNla]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}
