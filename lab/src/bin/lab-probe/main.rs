//! Send and answer small packets inside a namespace, without anything installed there.
//!
//! Servers answer each datagram or line with the sender's address as they see it, a blank, and what they
//! were sent. All output is one line of `key=value` words on stdout, or an error on stderr and exit code 1.

mod ask;
mod datagrams;
mod first;
mod knock;
mod serve;

use std::io::{self, Write};
use std::net::{AddrParseError, SocketAddr};
use std::num::ParseIntError;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: lab-probe serve-udp|serve-tcp ADDRESS:PORT
       lab-probe ask-udp|ask-tcp|first-udp|first-tcp ADDRESS:PORT MILLISECONDS [FROM-ADDRESS:PORT]
       lab-probe knock-sctp IPV4-ADDRESS:PORT";

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{USAGE}")]
    Usage,
    #[error("read the address")]
    Address(#[from] AddrParseError),
    #[error("read the number of milliseconds")]
    Number(#[from] ParseIntError),
    #[error("serve on {address}")]
    Serve { address: SocketAddr, source: io::Error },
    #[error("ask {address}")]
    Ask { address: SocketAddr, source: io::Error },
    #[error("wait for an answer from {address} (sent={sent})")]
    Silence { address: SocketAddr, sent: u64, source: io::Error },
    #[error("understand the answer {answer:?}")]
    Answer { answer: String },
    #[error("talk to the caller")]
    Caller(#[source] io::Error),
}

/// Whom to ask, until when, and from where.
struct Question {
    address: SocketAddr,
    within: Duration,
    from: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let because = std::error::Error::source(&error).map(|source| format!(": {source}"));
            // Nobody is left to be told when stderr is closed.
            let _unheard = writeln!(io::stderr(), "lab-probe: {error}{}", because.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), Error> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve-udp", address] => serve::udp(address.parse()?),
        ["serve-tcp", address] => serve::tcp(address.parse()?),
        ["knock-sctp", address] => knock::sctp(address.parse()?),
        [verb, address, within, ref from @ ..] if from.len() < 2 => {
            let from = from.first().map(|from| from.parse()).transpose()?;
            let within = Duration::from_millis(within.parse()?);
            let question = Question { address: address.parse()?, within, from };
            match verb {
                "ask-udp" => ask::udp(&question),
                "ask-tcp" => ask::tcp(&question),
                "first-udp" => first::udp(&question),
                "first-tcp" => first::tcp(&question),
                _ => Err(Error::Usage),
            }
        }
        _ => Err(Error::Usage),
    }
}

fn tell(line: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(Error::Caller)
}
