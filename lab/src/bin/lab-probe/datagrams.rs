//! A UDP socket that asks one address and hears only that one.
//!
//! It is not connected: that would fail for as long as there is no route.

use crate::{Error, Question};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// A UDP socket that asks one address and hears only that one.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    address: SocketAddr,
}

impl Datagrams {
    /// Binds a socket for `question`.
    pub(crate) fn bind(question: &Question) -> Result<Self, Error> {
        let address = question.address;
        let any = match address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(question.from.unwrap_or(any));
        let socket = socket.map_err(|source| Error::Ask { address, source })?;
        Ok(Self { socket, address })
    }

    /// Sends; whether anything went out.
    pub(crate) fn send(&self, text: &str) -> bool {
        self.socket.send_to(text.as_bytes(), self.address).is_ok()
    }

    /// Waits for a datagram of the other side. The kernel rounds the time up to its next tick.
    pub(crate) fn receive(&self, within: Duration) -> io::Result<String> {
        let deadline = Instant::now() + within;
        let mut buffer = [0; 2048];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, peer)) if peer == self.address => {
                    return Ok(String::from_utf8_lossy(&buffer[..length]).into_owned());
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }
}
