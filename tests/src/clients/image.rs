//! The image that all clients run, made by hand: nothing is downloaded.

use crate::surprise::Surprise;
use lab::outcome::Unexpected;
use lab::{Call, Host, Place};
use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

/// The name of the image. `localhost` belongs to nobody: no client asks a registry for it.
pub const NAME: &str = "localhost/busybox:latest";

/// What a container runs that is to be [asked](who) at port 80.
pub const SERVER: [&str; 4] = ["httpd", "-f", "-h", "/www"];

const SCRIPT: &str = include_str!("image.sh");

/// For a server to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the image in a host, as a file that clients can load. Needs `busybox`, the static one.
///
/// # Errors
/// As the programs tell that make it.
pub(super) fn make(host: &Host) -> Result<&'static str, Unexpected> {
    const TAR: &str = "/run/image.tar";
    host.run(["sh", "-c", SCRIPT, "image.sh", TAR, NAME]).ok()?;
    Ok(TAR)
}

/// Asks the [server](SERVER) at an address, and returns as whom it sees us. The server may have just been started.
///
/// # Errors
/// No answer in time.
#[track_caller]
pub fn who(place: &impl Place, address: IpAddr, port: u16) -> Result<IpAddr, Surprise> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = ask(address, port).run(place);
        if let Some(seen) = seen(outcome.stdout()) {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            return Err(Surprise::new(format!("nobody answers at {address} port {port}"), outcome));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether nobody answers at an address where somebody might have.
#[must_use]
pub fn is_silent(place: &impl Place, address: IpAddr, port: u16) -> bool {
    seen(ask(address, port).run(place).stdout()).is_none()
}

fn ask(address: IpAddr, port: u16) -> Call {
    // The machine's busybox, for its `nc` does not depend on what else is installed.
    let (address, port) = (address.to_string(), port.to_string());
    let words = ["timeout", "1", "busybox", "nc", &address, &port];
    Call::new(words).stdin("GET /cgi-bin/who HTTP/1.0\r\n\r\n")
}

/// The address in an answer: in brackets where the server listens for both families.
fn seen(answer: &str) -> Option<IpAddr> {
    let last = answer.lines().last()?.trim().trim_start_matches('[').trim_end_matches(']');
    last.parse().ok().map(|address: IpAddr| address.to_canonical())
}
