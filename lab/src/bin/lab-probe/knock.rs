//! The first packet of an SCTP association, by hand: many kernels have no such sockets, but all pass such packets on.

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, socket,
};
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;

use crate::{Error, tell};

const SCTP: u8 = 132;
/// The client's port.
const FROM: u16 = 40_000;

/// Sends an INIT chunk; who gets it, others see.
pub(crate) fn sctp(address: SocketAddrV4) -> Result<(), Error> {
    let failed = |errno: nix::Error| Error::Ask { address: address.into(), source: errno.into() };
    let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw);
    let socket = socket.map_err(failed)?;
    let packet = packet(address);
    let to = SockaddrIn::from(address);
    sendto(socket.as_raw_fd(), &packet, &to, MsgFlags::empty()).map_err(failed)?;
    tell("sent=1")
}

/// An IPv4 header, of which the kernel fills in length, source and checksum; the common header (RFC 9260, section 3.1)
/// and the chunk INIT (section 3.3.2).
fn packet(to: SocketAddrV4) -> Vec<u8> {
    let mut sctp = Vec::new();
    sctp.extend(FROM.to_be_bytes());
    sctp.extend(to.port().to_be_bytes());
    // No verification tag yet; the checksum comes last.
    sctp.extend([0; 8]);
    // Type, flags, length; initiate tag, window, streams out and in, first number.
    sctp.extend([1, 0, 0, 20]);
    sctp.extend(1_u32.to_be_bytes());
    sctp.extend(65_535_u32.to_be_bytes());
    sctp.extend([0, 1, 0, 1]);
    sctp.extend(1_u32.to_be_bytes());
    let checksum = crc32c(&sctp);
    sctp[8..12].copy_from_slice(&checksum.to_le_bytes());
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, SCTP, 0, 0, 0, 0, 0, 0];
    packet.extend(to.ip().octets());
    packet.extend(sctp);
    packet
}

/// RFC 9260, appendix A.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |rest: u32, _| (rest >> 1) ^ (0x82f6_3b78 * (rest & 1));
    !bytes.iter().fold(u32::MAX, |rest, byte| (0..8).fold(rest ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_catalogue() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
