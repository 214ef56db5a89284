//! One question, one answer.

use crate::datagrams::Datagrams;
use crate::{Error, Question, tell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Asks by a datagram, again each 100 ms, and prints `peer=`.
pub(crate) fn udp(question: &Question) -> Result<(), Error> {
    let datagrams = Datagrams::bind(question)?;
    let deadline = Instant::now() + question.within;
    let mut sent = 0;
    loop {
        sent += u64::from(datagrams.send("ask\n"));
        let left = deadline.saturating_duration_since(Instant::now());
        match datagrams.receive(left.min(Duration::from_millis(100))) {
            Ok(answer) => return tell_peer(answer),
            Err(_) if !left.is_zero() => {}
            Err(source) => return Err(Error::Silence { address: question.address, sent, source }),
        }
    }
}

/// Asks by one connection and prints `peer=`.
pub(crate) fn tcp(question: &Question) -> Result<(), Error> {
    tell_peer(converse(question)?)
}

/// Makes a connection, asks, and waits for the answer.
pub(crate) fn converse(question: &Question) -> Result<String, Error> {
    let failed = |source| Error::Ask { address: question.address, source };
    if question.from.is_some() {
        return Err(Error::Usage); // the standard library cannot bind a stream before it connects
    }
    let start = Instant::now();
    let mut stream = TcpStream::connect_timeout(&question.address, question.within).map_err(failed)?;
    let left = question.within.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left)).map_err(failed)?;
    stream.write_all(b"ask\n").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    Ok(answer)
}

/// Prints the address as whom the server has seen us.
fn tell_peer(answer: String) -> Result<(), Error> {
    match answer.split_once(' ') {
        Some((peer, _)) => tell(&format!("peer={peer}")),
        None => Err(Error::Answer { answer }),
    }
}
