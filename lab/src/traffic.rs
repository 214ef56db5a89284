//! What passes between places: servers, questions, and the first packet. The work is done by `lab-probe`,
//! the helper program of this crate, so that nothing has to be installed.

use crate::background::{self, Background};
use crate::call::Call;
use crate::outcome::Unexpected;
use crate::place::Place;
use crate::tools;
use std::net::{SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

/// How a question travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By datagrams.
    Udp,
    /// Over a connection.
    Tcp,
}

/// A probe failed, or its question was not answered.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("find lab-probe, which `cargo build -p lab` puts beside the tests; LAB_PROBE may name it")]
    NoProbe,
    #[error(transparent)]
    Background(#[from] background::Error),
    #[error(transparent)]
    Unanswered(#[from] Unexpected),
    #[error("understand what lab-probe says: {said}")]
    Said { said: String },
}

/// Starts a server in `place`, and returns when it listens. It answers everybody until it is dropped.
///
/// # Errors
/// The address is not available there.
pub fn serve(place: &impl Place, transport: Transport, address: SocketAddr) -> Result<Background, Error> {
    let call = probe("serve", transport, address)?;
    let server = Background::start(place, &call)?;
    server.wait_for("ready=", START)?;
    Ok(server)
}

/// Asks the server at `address` from `place`, and returns as whom the server sees us.
///
/// # Errors
/// No answer in time; or, over TCP, a refusal.
pub fn ask(
    place: &impl Place,
    transport: Transport,
    address: SocketAddr,
    within: Duration,
) -> Result<SocketAddr, Error> {
    let call = probe("ask", transport, address)?.arg(within.as_millis().to_string());
    let said = call.run(place).ok()?;
    value(&said, "peer")
}

/// Asks by datagrams from a given address and port: the same question twice meets the same entry in the
/// connection tracking table.
///
/// # Errors
/// No answer in time, or the address is not available there.
pub fn ask_from(
    place: &impl Place,
    from: SocketAddr,
    address: SocketAddr,
    within: Duration,
) -> Result<SocketAddr, Error> {
    let call = probe("ask", Transport::Udp, address)?.arg(within.as_millis().to_string());
    let said = call.arg(from.to_string()).run(place).ok()?;
    value(&said, "peer")
}

/// Asks for an SCTP association, and does not wait for an answer. Needs no SCTP in the kernel.
///
/// # Errors
/// The packet cannot be sent.
pub fn knock_sctp(place: &impl Place, address: SocketAddrV4) -> Result<(), Error> {
    let program: PathBuf = tools::probe().ok_or(Error::NoProbe)?;
    Call::new([program]).arg("knock-sctp").arg(address.to_string()).run(place).ok()?;
    Ok(())
}

/// How the first packet fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstPacket {
    /// From the signal to the first answer.
    pub took: Duration,
    /// Which datagram was answered; 0 is the one sent at the signal, and the next follow each 200 µs.
    pub answered: u64,
    /// How many datagrams were sent until then.
    pub sent: u64,
}

/// A probe that is ready to send the first packet of a namespace in the instant when it is told to.
#[derive(Debug)]
pub struct FirstPacketProbe(Background, Duration);

impl FirstPacketProbe {
    /// Starts the probe in `place`; returns when it waits for its signal. There need be no link yet.
    ///
    /// # Errors
    /// The probe cannot be started.
    pub fn start(
        place: &impl Place,
        transport: Transport,
        address: SocketAddr,
        within: Duration,
    ) -> Result<Self, Error> {
        let call = probe("first", transport, address)?.arg(within.as_millis().to_string());
        let probe = Background::start(place, &call)?;
        probe.wait_for("ready=", START)?;
        Ok(Self(probe, within))
    }

    /// Sends now, and waits for the answer.
    ///
    /// # Errors
    /// No answer in time; or, over TCP, a refusal.
    pub fn send(mut self) -> Result<FirstPacket, Error> {
        self.0.tell("now\n")?;
        let said = self.0.wait_for("micros=", self.1 + START)?;
        Ok(FirstPacket {
            took: Duration::from_micros(value(&said, "micros")?),
            answered: value(&said, "answered")?,
            sent: value(&said, "sent")?,
        })
    }
}

/// For a program to be started on a busy machine.
const START: Duration = Duration::from_secs(10);

fn probe(verb: &str, transport: Transport, address: SocketAddr) -> Result<Call, Error> {
    let program: PathBuf = tools::probe().ok_or(Error::NoProbe)?;
    let suffix = match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    Ok(Call::new([program]).arg(format!("{verb}-{suffix}")).arg(address.to_string()))
}

fn value<T: std::str::FromStr>(said: &str, key: &str) -> Result<T, Error> {
    let mut pairs = said.split_whitespace().filter_map(|word| word.split_once('='));
    let found = pairs.find(|(name, _)| *name == key).and_then(|(_, value)| value.parse().ok());
    found.ok_or_else(|| Error::Said { said: said.to_owned() })
}
