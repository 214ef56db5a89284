//! What runs on other hosts beside containers: a system bus, and firewalld on it.

use crate::background::{self, Background};
use crate::host::Host;
use crate::outcome::Unexpected;
use crate::place::Place;
use std::time::Duration;

/// Where the bus listens, as programs of the host know it.
pub const BUS: &str = "/run/dbus/system_bus_socket";

/// A daemon does not run as it should.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Background(#[from] background::Error),
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
}

/// Starts a system bus, and returns when it listens. Needs `dbus-daemon`.
///
/// # Errors
/// The bus ends, and why.
pub fn bus(host: &Host) -> Result<Background, Error> {
    host.run(["mkdir", "-p", "/run/dbus", "/var/log"]).ok()?;
    let words = ["dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog", "--print-address"];
    let bus = host.background(words)?;
    bus.wait_for("unix:", START)?;
    Ok(bus)
}

/// Starts firewalld on the host's [bus], and returns when it answers. Needs `firewalld`.
///
/// # Errors
/// It does not come in a minute.
pub fn firewalld(host: &Host) -> Result<Background, Error> {
    let firewalld = host.background(["firewalld", "--nofork", "--nopid"])?;
    wait_for_firewalld(host, true)?;
    Ok(firewalld)
}

/// Waits until the bus knows firewalld, or does not know it any more: it may learn of its end a moment later than we.
///
/// # Errors
/// It does not happen in a minute.
pub fn wait_for_firewalld(host: &Host, is_there: bool) -> Result<(), Error> {
    let ask = "dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
               string:org.fedoraproject.FirewallD1";
    let script = format!("until {ask} | grep -q 'boolean {is_there}'; do sleep 0.02; done");
    let limit = START.as_secs().to_string();
    host.run(["timeout", &limit, "sh", "-c", &script]).ok()?;
    Ok(())
}

/// For a program in Python to start on a busy machine.
const START: Duration = Duration::from_secs(60);
