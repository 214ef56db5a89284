//! Servers that tell everybody as whom they see them.

use crate::{Error, tell};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;

/// Answers datagrams for ever.
pub(crate) fn udp(address: SocketAddr) -> Result<(), Error> {
    let failed = |source| Error::Serve { address, source };
    let socket = UdpSocket::bind(address).map_err(failed)?;
    tell(&format!("ready={address}"))?;
    let mut buffer = [0; 2048];
    loop {
        // Errors here are the late echo of an answer that found nobody; the next datagram is not to blame.
        if let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let _unheard = socket.send_to(&answer(peer, &buffer[..length]), peer);
        }
    }
}

/// Answers one line a connection, for ever.
pub(crate) fn tcp(address: SocketAddr) -> Result<(), Error> {
    let failed = |source| Error::Serve { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    tell(&format!("ready={address}"))?;
    for stream in listener.incoming().flatten() {
        thread::spawn(move || converse(stream));
    }
    Ok(())
}

fn converse(mut stream: TcpStream) -> io::Result<()> {
    let peer = stream.peer_addr()?;
    let mut line = Vec::new();
    BufReader::new(&stream).read_until(b'\n', &mut line)?;
    stream.write_all(&answer(peer, &line))
}

fn answer(peer: SocketAddr, said: &[u8]) -> Vec<u8> {
    // A socket on [::] sees IPv4 clients as mapped addresses; what they are is of interest here.
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    [peer.to_string().as_bytes(), b" ", said].concat()
}
