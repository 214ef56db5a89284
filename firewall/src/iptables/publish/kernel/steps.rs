//! What iptables 1.8 makes of the lines that all containers share, so that it reads them as its own.

use netlink_packet_netfilter::NetfilterProtoFamily;

use crate::foreign::Step;

/// `NFT_META_MARK`.
const META_MARK: u32 = 3;
/// `RTN_LOCAL`, as a bit of `struct xt_addrtype_info_v1`.
const LOCAL: u16 = 1 << 2;

/// `-m addrtype --dst-type LOCAL`
pub(super) fn is_local() -> Step {
    let mut info = [0, LOCAL].map(u16::to_ne_bytes).concat();
    info.extend([0; 4]);
    Step::Extension { name: "addrtype".to_owned(), revision: 1, info }
}

/// `-m mark --mark MARK/MARK`
pub(super) fn has_mark(mark: u32) -> [Step; 3] {
    let bytes = mark.to_ne_bytes().to_vec();
    [Step::LoadMeta(META_MARK), Step::Mask(bytes.clone()), Step::Equal(bytes)]
}

/// `-j MARK --set-xmark MARK/MARK`: `struct xt_mark_tginfo2`.
pub(super) fn set_mark(mark: u32) -> Step {
    let info = [mark, mark].map(u32::to_ne_bytes).concat();
    Step::Target { name: "MARK".to_owned(), revision: 2, info }
}

/// `-j MASQUERADE`: a structure of an address range each, which says "any".
pub(super) fn masquerade(family: NetfilterProtoFamily) -> Step {
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
    Step::Target { name: "MASQUERADE".to_owned(), revision: 0, info }
}
