//! Sockets that listen, told by the kernel (`linux/inet_diag.h`).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NlasIterator};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket as Netlink, SocketAddr};
use nix::errno::Errno;
use vocab::{PortRange, Protocol};

use crate::Error;
use crate::socket::{Family, Socket};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// The header of a request with `struct inet_diag_req_v2`, and the answer's `struct inet_diag_msg`.
const REQUEST_LEN: usize = 16 + 56;
const ANSWER_LEN: usize = 72;
/// `INET_DIAG_REQ_BYTECODE`: which sockets the kernel is to tell of.
const BYTECODE: u16 = 1;
/// `INET_DIAG_BC_S_GE` and `INET_DIAG_BC_S_LE`: its own port is not below, not above.
const NOT_BELOW: u8 = 2;
const NOT_ABOVE: u8 = 3;
/// `INET_DIAG_SKV6ONLY`.
const V6_ONLY: u16 = 11;
/// Bits of `TCP_LISTEN` and `TCP_CLOSE`; a UDP socket without a peer is in the latter.
const LISTEN: u32 = 1 << 10;
const CLOSE: u32 = 1 << 7;
/// The kernel makes no message of a listing longer than this.
const LONGEST_ANSWER: usize = 32 * 1024;

/// The sockets of the calling thread's network namespace that listen at a port of the range; `None` if this kernel
/// does not tell: it has no such protocol, no such family, or no such netlink.
pub(crate) fn listening(
    protocol: Protocol,
    family: Family,
    range: PortRange,
) -> Result<Option<Vec<Socket>>, Error> {
    let socket = match Netlink::new(NETLINK_SOCK_DIAG) {
        Ok(socket) => socket,
        Err(source) if source.raw_os_error() == Some(Errno::EPROTONOSUPPORT as i32) => return Ok(None),
        Err(source) => return Err(Error::Open { source }),
    };
    let exchange = |source: io::Error| Error::Exchange { protocol, source };
    socket.send_to(&request(protocol, family, range), &SocketAddr::new(0, 0), 0).map_err(exchange)?;
    let mut sockets = Vec::new();
    let mut received = Vec::with_capacity(LONGEST_ANSWER);
    loop {
        received.clear();
        socket.recv(&mut received, 0).map_err(exchange)?;
        for (kind, payload) in messages(&received) {
            match (kind, refusal(kind, payload)) {
                (_, Some(Errno::ENOENT)) => return Ok(None),
                (_, Some(errno)) => return Err(Error::Refused { protocol, errno }),
                (NLMSG_DONE, None) => return Ok(Some(sockets)),
                (BY_FAMILY, None) => sockets.extend(read(payload).filter(|socket| is_within(socket, range))),
                _ => {}
            }
        }
    }
}

fn is_within(socket: &Socket, range: PortRange) -> bool {
    (range.first().get()..=range.last().get()).contains(&socket.address.port())
}

fn request(protocol: Protocol, family: Family, range: PortRange) -> Vec<u8> {
    let states = if protocol == Protocol::Udp { CLOSE } else { LISTEN };
    let filter = filter(range);
    let attribute_len = 4 + filter.len();
    let mut bytes = Vec::with_capacity(REQUEST_LEN + attribute_len);
    bytes.extend(((REQUEST_LEN + attribute_len) as u32).to_ne_bytes());
    bytes.extend([BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP].map(u16::to_ne_bytes).concat());
    bytes.extend([1_u32, 0].map(u32::to_ne_bytes).concat());
    bytes.extend([family.number(), protocol.number(), 0, 0]);
    bytes.extend(states.to_ne_bytes());
    // Addresses and ports are for questions about single connections.
    bytes.resize(REQUEST_LEN, 0);
    bytes.extend([attribute_len as u16, BYTECODE].map(u16::to_ne_bytes).concat());
    bytes.extend(filter);
    bytes
}

/// Two instructions of 4 bytes (code, way on, way out), each followed by its operand. The way on is to the next one,
/// the way out is 4 bytes behind the end, which means no.
fn filter(range: PortRange) -> Vec<u8> {
    let instruction = |code: u8, way_out: u16, operand: u16| {
        let mut bytes = vec![code, 8];
        bytes.extend([way_out, 0, operand].map(u16::to_ne_bytes).concat());
        bytes
    };
    [instruction(NOT_BELOW, 20, range.first().get()), instruction(NOT_ABOVE, 12, range.last().get())].concat()
}

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(bytes).ok()?;
        bytes = bytes.get((message.length() as usize).next_multiple_of(4)..).unwrap_or_default();
        Some((message.message_type(), message.payload()))
    })
}

/// Why the kernel refused; the end of a listing may bring a refusal, too.
fn refusal(kind: u16, payload: &[u8]) -> Option<Errno> {
    let code = payload.first_chunk().map(|code| i32::from_ne_bytes(*code))?;
    ((kind == NLMSG_ERROR || kind == NLMSG_DONE) && code < 0).then(|| Errno::from_raw(-code))
}

fn read(answer: &[u8]) -> Option<Socket> {
    let port = u16::from_be_bytes(*answer.get(4..)?.first_chunk()?);
    let source = answer.get(8..)?;
    let address = if answer.first() == Some(&Family::V6.number()) {
        IpAddr::V6(Ipv6Addr::from(*source.first_chunk::<16>()?))
    } else {
        IpAddr::V4(Ipv4Addr::from(*source.first_chunk::<4>()?))
    };
    let inode = u32::from_ne_bytes(*answer.get(ANSWER_LEN - 4..)?.first_chunk()?);
    let mut attributes = NlasIterator::new(answer.get(ANSWER_LEN..)?).map_while(Result::ok);
    let v6_only =
        attributes.any(|attribute| attribute.kind() == V6_ONLY && attribute.value().first() == Some(&1));
    Some(Socket::new(address, port, v6_only, u64::from(inode)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::Port;

    #[test]
    fn the_filter_is_two_comparisons_with_the_ends_of_the_range() {
        let range = PortRange::new(Port::new(80).unwrap(), Port::new(0x1234).unwrap()).unwrap();
        let mut expected = [&[2, 8][..], &20_u16.to_ne_bytes(), &[0, 0], &80_u16.to_ne_bytes()].concat();
        expected.extend([&[3, 8][..], &12_u16.to_ne_bytes(), &[0, 0], &0x1234_u16.to_ne_bytes()].concat());
        assert_eq!(filter(range), expected);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_no_socket() {
        let mut answer = vec![0; ANSWER_LEN];
        answer[0] = Family::V6.number();
        answer[5] = 80;
        assert!(read(&answer).is_some_and(|socket| socket.is_dual && socket.address.port() == 80));
        assert_eq!(read(&answer[..ANSWER_LEN - 1]), None);
    }
}
