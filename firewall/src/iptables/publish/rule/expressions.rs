//! Rules in the expressions of nf_tables, as `iptables` makes them: its own old matches inside of `match`, or what
//! nf_tables has in their place. Which of both depends on the version of iptables.

use std::net::IpAddr;

use vocab::Protocol;

use super::Rule;
use crate::foreign::{RULE_EXPRESSIONS, RULE_USERDATA};
use crate::{element, wire};

/// `NFTA_LIST_ELEM`, `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
const LIST_ELEM: u16 = 1;
const EXPR_NAME: u16 = 1;
const EXPR_DATA: u16 = 2;
/// `NFTA_META_KEY`, `NFT_META_MARK` and `NFT_META_L4PROTO`.
const META_KEY: u16 = 2;
const KEY_MARK: u32 = 3;
const KEY_PROTOCOL: u32 = 16;
/// `NFTA_PAYLOAD_BASE`, `NFTA_PAYLOAD_OFFSET`, `NFTA_PAYLOAD_LEN`, and the bases of both headers.
const PAYLOAD_BASE: u16 = 2;
const PAYLOAD_OFFSET: u16 = 3;
const PAYLOAD_LEN: u16 = 4;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
/// `NFTA_CMP_OP`, `NFT_CMP_EQ`, `NFTA_CMP_DATA` and `NFTA_DATA_VALUE`.
const CMP_OP: u16 = 2;
const EQUAL: u32 = 0;
const CMP_DATA: u16 = 3;
const DATA_VALUE: u16 = 1;
/// `NFTA_IMMEDIATE_DATA`, `NFTA_DATA_VERDICT` and `NFTA_VERDICT_CHAIN`.
const IMMEDIATE_DATA: u16 = 2;
const DATA_VERDICT: u16 = 2;
const VERDICT_CHAIN: u16 = 2;
/// `NFTA_MATCH_NAME` and `NFTA_MATCH_INFO`; those of a target have the same numbers.
const XT_NAME: u16 = 1;
const XT_INFO: u16 = 3;

/// What was loaded into a register, to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loaded {
    Protocol,
    Mark,
    Destination,
    Port,
    Other,
}

impl Rule {
    /// Reads the attributes of a rule.
    pub(crate) fn from_attributes(attributes: &[u8]) -> Self {
        let mut rule = Self::default();
        let userdata = wire::attribute(attributes, RULE_USERDATA).and_then(element::comment);
        rule.comment = userdata.map(str::to_owned);
        let mut loaded = Loaded::Other;
        let expressions = wire::attribute(attributes, RULE_EXPRESSIONS).unwrap_or_default();
        for (_, expression) in wire::attributes(expressions).filter(|(kind, _)| *kind == LIST_ELEM) {
            let name = wire::attribute(expression, EXPR_NAME).and_then(wire::text).unwrap_or_default();
            let data = wire::attribute(expression, EXPR_DATA).unwrap_or_default();
            match name {
                "meta" => loaded = load_meta(data),
                "payload" => loaded = load_payload(data),
                // Masked, an address is a subnet's; a mark is looked for no less.
                "bitwise" if loaded == Loaded::Destination => loaded = Loaded::Other,
                "cmp" => rule.compare(loaded, data),
                "immediate" => {
                    let chain = wire::nested(data, &[IMMEDIATE_DATA, DATA_VERDICT, VERDICT_CHAIN]);
                    rule.jump = chain.and_then(wire::text).map(str::to_owned);
                }
                "match" | "target" => rule.read_extension(data),
                "nat" => rule.translates = true,
                _ => {}
            }
        }
        rule
    }

    fn compare(&mut self, loaded: Loaded, data: &[u8]) {
        let is_equal = wire::attribute(data, CMP_OP).and_then(wire::number) == Some(EQUAL);
        let Some(value) = wire::nested(data, &[CMP_DATA, DATA_VALUE]).filter(|_| is_equal) else { return };
        match loaded {
            Loaded::Protocol => {
                self.protocol = value.first().and_then(|number| Protocol::from_number(*number))
            }
            Loaded::Mark => self.marks.extend(host_number(value)),
            Loaded::Destination => self.destination = address(value),
            Loaded::Port => self.ports.extend(port(value, 0).map(|port| port..=port)),
            Loaded::Other => {}
        }
    }

    /// Reads a match or target of the old kind: a C structure of its own each.
    fn read_extension(&mut self, data: &[u8]) {
        let name = wire::attribute(data, XT_NAME).and_then(wire::text).unwrap_or_default();
        let info = wire::attribute(data, XT_INFO).unwrap_or_default();
        match name {
            "comment" => self.comment = wire::text(info).map(str::to_owned),
            "multiport" => self.read_multiport(info),
            // `struct xt_tcp` and `xt_udp` begin with the source ports, `xt_sctp_info` with the destination ports.
            "tcp" | "udp" => self.read_range(info, 4),
            "sctp" => self.read_range(info, 0),
            "mark" | "MARK" => self.marks.extend(info.get(..4).and_then(host_number)),
            "DNAT" => self.translates = true,
            _ => {}
        }
    }

    /// `struct xt_multiport_v1`: which ports are meant, their number, 15 ports (in the machine's own order of
    /// bytes), 15 times whether a port begins a range, and whether all but these are meant.
    fn read_multiport(&mut self, info: &[u8]) {
        const SOURCE: u8 = 0;
        const PORTS: usize = 2;
        const FLAGS: usize = PORTS + 15 * 2;
        const INVERT: usize = FLAGS + 15;
        let (Some([which, count]), Some(invert)) = (info.first_chunk::<2>(), info.get(INVERT)) else {
            return;
        };
        if *which == SOURCE || *invert != 0 {
            return;
        }
        let mut ports = (0..usize::from(*count).min(15)).filter_map(|position| {
            let start = PORTS + 2 * position;
            let port = info.get(start..start + 2)?.first_chunk::<2>().copied().map(u16::from_ne_bytes)?;
            Some((port, info.get(FLAGS + position).is_some_and(|flag| *flag != 0)))
        });
        while let Some((first, begins_range)) = ports.next() {
            let last = if begins_range { ports.next().map_or(first, |(last, _)| last) } else { first };
            self.ports.push(first..=last);
        }
    }

    /// Two ports in the machine's own order of bytes; all of them is what is there when none is asked for.
    fn read_range(&mut self, info: &[u8], offset: usize) {
        let number = |at: usize| info.get(at..at + 2)?.first_chunk::<2>().copied().map(u16::from_ne_bytes);
        if let (Some(first), Some(last)) = (number(offset), number(offset + 2)) {
            self.ports.push(first..=last);
        }
    }
}

fn load_meta(data: &[u8]) -> Loaded {
    match wire::attribute(data, META_KEY).and_then(wire::number) {
        Some(KEY_PROTOCOL) => Loaded::Protocol,
        Some(KEY_MARK) => Loaded::Mark,
        _ => Loaded::Other,
    }
}

fn load_payload(data: &[u8]) -> Loaded {
    let number = |kind| wire::attribute(data, kind).and_then(wire::number);
    match (number(PAYLOAD_BASE), number(PAYLOAD_OFFSET), number(PAYLOAD_LEN)) {
        // Shorter loads compare a subnet.
        (Some(NETWORK_HEADER), Some(16), Some(4)) | (Some(NETWORK_HEADER), Some(24), Some(16)) => {
            Loaded::Destination
        }
        (Some(NETWORK_HEADER), Some(9), Some(1)) => Loaded::Protocol,
        (Some(TRANSPORT_HEADER), Some(2), Some(2)) => Loaded::Port,
        _ => Loaded::Other,
    }
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).ok().map(IpAddr::from);
    v4.or_else(|| <[u8; 16]>::try_from(value).ok().map(IpAddr::from))
}

fn port(value: &[u8], offset: usize) -> Option<u16> {
    value.get(offset..offset + 2)?.first_chunk::<2>().copied().map(u16::from_be_bytes)
}

fn host_number(value: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(value.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `-m mark --mark 0x2000/0x2000 -j MASQUERADE` of iptables 1.8.9 is in the kernel.
    const MASQUERADE: &[u8] = b"\x14\x01\x04\0$\0\x01\0\x09\0\x01\0meta\0\0\0\0\x14\0\x02\0\x08\0\x02\0\0\0\0\x03\x08\0\x01\0\0\0\0\x01\
        L\0\x01\0\x0c\0\x01\0bitwise\0<\0\x02\0\x08\0\x01\0\0\0\0\x01\x08\0\x02\0\0\0\0\x01\x08\0\x03\0\0\0\0\x04\x08\0\x06\0\0\0\0\0\
        \x0c\0\x04\0\x08\0\x01\0\0 \0\0\x0c\0\x05\0\x08\0\x01\0\0\0\0\0,\0\x01\0\x08\0\x01\0cmp\0 \0\x02\0\x08\0\x01\0\0\0\0\x01\
        \x08\0\x02\0\0\0\0\0\x0c\0\x03\0\x08\0\x01\0\0 \0\0,\0\x01\0\x0c\0\x01\0counter\0\x1c\0\x02\0\x0c\0\x01\0\0\0\0\0\0\0\0\0\
        \x0c\0\x02\0\0\0\0\0\0\0\0\0H\0\x01\0\x0b\0\x01\0target\0\08\0\x02\0\x0f\0\x01\0MASQUERADE\0\0\x08\0\x02\0\0\0\0\0\
        \x1c\0\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [(4 + value.len()) as u16, kind].map(u16::to_ne_bytes).concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn expression(name: &[u8], data: &[Vec<u8>]) -> Vec<u8> {
        attribute(LIST_ELEM, &[attribute(EXPR_NAME, name), attribute(EXPR_DATA, &data.concat())].concat())
    }

    fn extension(expression_name: &[u8], name: &[u8], info: &[u8]) -> Vec<u8> {
        expression(expression_name, &[attribute(XT_NAME, name), attribute(XT_INFO, info)])
    }

    fn rule(expressions: &[Vec<u8>]) -> Rule {
        Rule::from_attributes(&attribute(RULE_EXPRESSIONS, &expressions.concat()))
    }

    fn payload(base: u32, offset: u32, length: u32) -> Vec<u8> {
        let numbers = [(PAYLOAD_BASE, base), (PAYLOAD_OFFSET, offset), (PAYLOAD_LEN, length)];
        expression(b"payload\0", &numbers.map(|(kind, number)| attribute(kind, &number.to_be_bytes())))
    }

    fn compare(operator: u32, value: &[u8]) -> Vec<u8> {
        let value = attribute(CMP_DATA, &attribute(DATA_VALUE, value));
        expression(b"cmp\0", &[attribute(CMP_OP, &operator.to_be_bytes()), value])
    }

    #[test]
    fn a_mark_is_read_from_what_iptables_made() {
        let masquerade = Rule::from_attributes(MASQUERADE);
        assert_eq!(masquerade, Rule { marks: vec![0x2000], ..Rule::default() });
        let set_mark = rule(&[extension(b"target\0", b"MARK\0", b"\0 \0\0\0 \0\0")]);
        assert_eq!(set_mark.marks, [u32::from_ne_bytes(*b"\0 \0\0")]);
    }

    #[test]
    fn several_ports_are_read_with_their_ranges() {
        let mut info = vec![1, 3];
        for port in [100_u16, 110, 120] {
            info.extend(port.to_ne_bytes());
        }
        info.resize(2 + 30, 0);
        info.extend([1, 0, 0]);
        info.resize(2 + 30 + 15 + 1, 0);
        let multiport = |info: &[u8]| rule(&[extension(b"match\0", b"multiport\0", info)]).ports;
        assert_eq!(multiport(&info), [100..=110, 120..=120]);
        info[47] = 1;
        assert_eq!(multiport(&info), [], "all but these");
        (info[47], info[0]) = (0, 0);
        assert_eq!(multiport(&info), [], "source ports");
        assert_eq!(multiport(&info[..20]), [], "torn");
    }

    #[test]
    fn ports_of_the_old_matches_are_the_destination_s() {
        let info = [1_u16, 2, 3, 4].map(u16::to_ne_bytes).concat();
        let ports = |name: &[u8]| rule(&[extension(b"match\0", name, &info)]).ports;
        assert_eq!(
            (ports(b"tcp\0"), ports(b"udp\0"), ports(b"sctp\0")),
            (vec![3..=4], vec![3..=4], vec![1..=2])
        );
    }

    #[test]
    fn what_is_compared_is_what_was_loaded() {
        let v4 = rule(&[
            payload(NETWORK_HEADER, 16, 4),
            compare(EQUAL, &[127, 0, 0, 1]),
            payload(TRANSPORT_HEADER, 2, 2),
            compare(EQUAL, &[0x1f, 0x90]),
            payload(TRANSPORT_HEADER, 0, 2),
            compare(EQUAL, &[0, 1]),
        ]);
        assert_eq!((v4.destination, v4.ports), (Some([127, 0, 0, 1].into()), vec![8080..=8080]));
        let v6 = rule(&[payload(NETWORK_HEADER, 24, 16), compare(EQUAL, &[0; 16])]);
        assert_eq!(v6.destination, Some([0_u16; 8].into()));
        // Not this one, and a whole subnet.
        assert_eq!(rule(&[payload(NETWORK_HEADER, 16, 4), compare(1, &[127, 0, 0, 1])]).destination, None);
        let masked =
            [payload(NETWORK_HEADER, 16, 4), expression(b"bitwise\0", &[]), compare(EQUAL, &[10, 0, 0, 0])];
        assert_eq!(rule(&masked).destination, None);
    }

    #[test]
    fn a_comment_may_stand_in_a_match_or_beside_the_rule() {
        let matched = rule(&[extension(b"match\0", b"comment\0", b"dnat\0\0\0\0")]);
        assert_eq!(matched.comment.as_deref(), Some("dnat"));
        let beside = Rule::from_attributes(&attribute(RULE_USERDATA, &element::comment_userdata("dnat")));
        assert_eq!(beside.comment, matched.comment);
    }
}
