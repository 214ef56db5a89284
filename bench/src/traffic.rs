//! Connections and datagrams between a container and the outside, and how long they take.
//!
//! All of it happens in this process, on one thread for each end. A socket stays in the network namespace in which
//! it was made, whichever thread uses it.

use crate::ports::{SERVED, Transport};
use netns::Netns;
use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a server looks whether it is still needed.
const LOOK: TimeVal = TimeVal::new(0, 50_000);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a first answer is asked for: a link that has just been laid may swallow the first question.
const TRIES: usize = 5;

/// Traffic did not pass.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Enter(#[from] netns::Error),
    #[error("serve port {SERVED} in a container")]
    Serve(#[source] io::Error),
    #[error("connect to {to}")]
    Connect { to: SocketAddr, source: io::Error },
    #[error("exchange datagrams with {to}")]
    Exchange { to: SocketAddr, source: io::Error },
}

/// Whoever answers in a container: connections by closing them, datagrams by sending them back.
#[derive(Debug)]
pub struct Server {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Begins to serve [`SERVED`]; there need be no address yet.
    ///
    /// # Errors
    /// The namespace cannot be entered, or the port is taken.
    pub fn start(container: &Netns, transport: Transport) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let any = (Ipv4Addr::UNSPECIFIED, SERVED);
        let thread = match transport {
            Transport::Tcp => {
                let socket = container.run(|| TcpListener::bind(any))?.map_err(Error::Serve)?;
                thread::spawn(move || answer(&socket, &stopped, || socket.accept().map(drop)))
            }
            Transport::Udp => {
                let socket = container.run(|| UdpSocket::bind(any))?.map_err(Error::Serve)?;
                thread::spawn(move || answer(&socket, &stopped, || send_back(&socket)))
            }
        };
        Ok(Self { stop, thread })
    }

    /// Serves no more.
    ///
    /// # Errors
    /// What went wrong in the meantime.
    pub fn stop(self) -> Result<(), Error> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic)).map_err(Error::Serve)
    }
}

fn answer(socket: &impl AsFd, stop: &AtomicBool, once: impl Fn() -> io::Result<()>) -> io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimeout, &LOOK)?;
    while !stop.load(Ordering::Relaxed) {
        match once() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            answered => answered?,
        }
    }
    Ok(())
}

fn send_back(socket: &UdpSocket) -> io::Result<()> {
    let mut datagram = [0; 64];
    let (length, from) = socket.recv_from(&mut datagram)?;
    socket.send_to(&datagram[..length], from).map(drop)
}

/// How long it takes to connect `times` times, one after the other: connect, be accepted, see it closed.
///
/// # Errors
/// The namespace cannot be entered, or a connection fails.
pub fn connects(from: &Netns, to: SocketAddr, times: u32) -> Result<Duration, Error> {
    let failed = |source| Error::Connect { to, source };
    from.run(|| {
        first_connection(to)?;
        let started = Instant::now();
        for _ in 0..times {
            connect(TcpStream::connect(to)?)?;
        }
        Ok(started.elapsed())
    })?
    .map_err(failed)
}

/// Not a connection that counts; it fails sooner when nobody answers.
fn first_connection(to: SocketAddr) -> io::Result<()> {
    let mut tried = TcpStream::connect_timeout(&to, PATIENCE);
    for _ in 1..TRIES {
        tried = tried.or_else(|_| TcpStream::connect_timeout(&to, PATIENCE));
    }
    connect(tried?)
}

/// Waits until the server has closed, and leaves nothing to wait for.
fn connect(mut stream: TcpStream) -> io::Result<()> {
    // Whoever closes first keeps the port for a minute, but not when the other end resets.
    setsockopt(&stream, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 })?;
    stream.read_exact(&mut [0]).or_else(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Ok(()),
        _ => Err(error),
    })
}

/// A flow of datagrams between the outside and a container, which the kernel has come to know.
#[derive(Debug)]
pub struct Flow {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Flow {
    /// Sends first datagrams until one is answered.
    ///
    /// # Errors
    /// The namespace cannot be entered, or nobody answers.
    pub fn establish(from: &Netns, to: SocketAddr) -> Result<Self, Error> {
        let failed = |source| Error::Exchange { to, source };
        let socket = from.run(|| {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
            socket.connect(to)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok(socket)
        })?;
        let flow = Self { socket: socket.map_err(failed)?, to };
        let mut tried = flow.exchange();
        for _ in 1..TRIES {
            tried = tried.or_else(|_| flow.exchange());
        }
        tried.map_err(failed)?;
        Ok(flow)
    }

    /// How long so many round trips take, one after the other.
    ///
    /// # Errors
    /// An answer does not come.
    pub fn round_trips(&self, times: u32) -> Result<Duration, Error> {
        let started = Instant::now();
        let exchanged = (0..times).try_for_each(|_| self.exchange());
        exchanged.map_err(|source| Error::Exchange { to: self.to, source })?;
        Ok(started.elapsed())
    }

    fn exchange(&self) -> io::Result<()> {
        self.socket.send(b"netctl")?;
        self.socket.recv(&mut [0; 64]).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_closed_at_once_is_a_good_one() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = listener.local_addr().unwrap();
        let server = thread::spawn(move || listener.accept().map(drop));
        connect(TcpStream::connect(to).unwrap()).unwrap();
        server.join().unwrap().unwrap();
    }

    #[test]
    fn a_server_stops_when_it_is_told_to() {
        let (socket, stop) = (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), AtomicBool::new(false));
        let answered = answer(&socket, &stop, || {
            let answered = send_back(&socket);
            stop.store(true, Ordering::Relaxed);
            answered
        });
        answered.unwrap();
    }
}
