//! The first packet of a container: sent in the instant in which ADD returns.
//!
//! The sender is a thread that has entered the container's namespace before there is anything in it, holds
//! a socket, and waits. A packet that comes too early is dropped by the kernel without a word, and the
//! question for the neighbour's address is only asked again a second later: that is what is looked for.

use netns::Netns;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the sender tries again.
const EVERY: Duration = Duration::from_micros(200);

/// A packet that has not arrived by then is lost.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// A first packet could not be sent or waited for.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("listen for first packets")]
    Listen(#[source] io::Error),
    #[error("prepare to send the first packet to {to}")]
    Prepare { to: SocketAddr, source: io::Error },
    #[error(transparent)]
    Enter(#[from] netns::Error),
    #[error("hear of first packets from the thread that listens")]
    Deaf,
}

/// Whoever waits for first packets on all addresses of the host.
#[derive(Debug)]
pub struct Listener {
    port: u16,
    arrivals: Receiver<(u64, Instant)>,
    next: u64,
}

/// A container that waits for its moment.
#[derive(Debug)]
pub struct Sender {
    token: u64,
    go: mpsc::Sender<()>,
    done: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Listener {
    /// Begins to listen, until the end of the program.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub fn start() -> Result<Self, Error> {
        // Hears IPv4, too.
        let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).map_err(Error::Listen)?;
        let port = socket.local_addr().map_err(Error::Listen)?.port();
        let (heard, arrivals) = mpsc::channel();
        thread::spawn(move || {
            let mut token = [0; 8];
            while socket.recv_from(&mut token).is_ok() {
                if heard.send((u64::from_ne_bytes(token), Instant::now())).is_err() {
                    return;
                }
            }
        });
        Ok(Self { port, arrivals, next: 0 })
    }

    /// Places a sender in a namespace, and returns when it waits there.
    ///
    /// # Errors
    /// The namespace cannot be entered.
    pub fn sender(&mut self, netns: Netns, to: std::net::IpAddr) -> Result<Sender, Error> {
        let (token, to) = (self.next, SocketAddr::new(to, self.port));
        self.next += 1;
        let (go, wait) = mpsc::channel();
        let (tell, ready) = mpsc::channel();
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        let thread = thread::spawn(move || netns.run(move || send(token, to, tell, wait, &stop))?);
        let sender = Sender { token, go, done, thread };
        match ready.recv() {
            Ok(()) => Ok(sender),
            // It has ended before it was ready, and knows why.
            Err(_) => Err(sender.stop().err().unwrap_or(Error::Deaf)),
        }
    }

    /// When the first packet of a sender arrived, if it did in time.
    ///
    /// # Errors
    /// [`Error::Deaf`].
    pub fn wait_for(&self, sender: &Sender) -> Result<Option<Instant>, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.arrivals.recv_timeout(left) {
                Ok((token, at)) if token == sender.token => return Ok(Some(at)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Deaf),
            }
        }
    }
}

impl Sender {
    /// Sends now.
    pub fn go(&self) {
        // A thread that has ended too early tells why when it is stopped.
        let _ended = self.go.send(());
    }

    /// Sends no more, and leaves the namespace.
    ///
    /// # Errors
    /// What went wrong in the namespace.
    pub fn stop(self) -> Result<(), Error> {
        self.done.store(true, Ordering::Relaxed);
        drop(self.go);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn send(
    token: u64,
    to: SocketAddr,
    ready: mpsc::Sender<()>,
    go: Receiver<()>,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    // Not connected: that would fail for as long as there is no route.
    let socket = UdpSocket::bind(any).map_err(|source| Error::Prepare { to, source })?;
    let _listened = ready.send(());
    if go.recv().is_err() {
        return Ok(());
    }
    let deadline = Instant::now() + PATIENCE;
    while !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
        // No route yet is a packet that did not arrive, too.
        let _unsent = socket.send_to(&token.to_ne_bytes(), to);
        thread::sleep(EVERY);
    }
    Ok(())
}
