//! Whoever gives a container a network and publishes its ports: a chain of CNI plugins, or netavark.

mod chain;
mod field;
mod netavark;
mod others;
#[cfg(test)]
mod tests;

pub use chain::{Chain, Rules};
pub use field::{Absent, Error as FieldError, Field};
pub use netavark::Netavark;
pub use others::{EACH, holders};

use crate::container::Container;
use crate::lan::Lan;
use crate::ports::Ports;
use crate::{attachment, container, plugin};
use serde_json::Value;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Whoever gives a container a network and publishes its ports.
///
/// Everything is done in the network namespace of the calling thread.
pub trait Contender: fmt::Debug + Sync {
    /// What it is called in tables.
    fn name(&self) -> &'static str;

    /// Attaches a container and publishes its ports; how long that took, and what has to be known for
    /// detaching it.
    ///
    /// # Errors
    /// It does not work.
    fn attach(&self, lan: &Lan, tenant: &Tenant) -> Result<(Duration, Attached), Error>;

    /// Undoes that; how long it took.
    ///
    /// # Errors
    /// It does not work.
    fn detach(&self, lan: &Lan, tenant: &Tenant, attached: &Attached) -> Result<Duration, Error>;

    /// Lets others have published `count` ports on a network, as quickly as it can be done; the containers that
    /// really are there for it.
    ///
    /// # Errors
    /// It does not work.
    fn crowd(&self, lan: &Lan, count: u16) -> Result<Vec<Tenant>, Error>;
}

/// A container and what it asks for.
#[derive(Debug)]
pub struct Tenant {
    /// The container.
    pub container: Container,
    /// The number of its address, where its caller has to choose one: at least 2.
    pub number: u16,
    /// The ports that lead to it.
    pub ports: Ports,
}

/// What is known of a container that has been attached.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The last result.
    pub result: Value,
    /// The container's address.
    pub address: Ipv4Addr,
}

/// A contender failed, or its answer makes no sense.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Container(#[from] container::Error),
    #[error(transparent)]
    Plugin(#[from] plugin::Error),
    #[error(transparent)]
    Result(#[from] attachment::Error),
    #[error("find the container's address in {result}")]
    NoAddress { result: Value },
    #[error("write the rules of others")]
    Others(#[from] lab::outcome::Unexpected),
}

/// Lets real containers publish `count` ports by real calls.
fn crowd_by_calls(contender: &impl Contender, lan: &Lan, count: u16) -> Result<Vec<Tenant>, Error> {
    let attach = |(number, ports)| {
        let tenant = Tenant { container: Container::create()?, number, ports };
        contender.attach(lan, &tenant)?;
        Ok(tenant)
    };
    holders(count).map(attach).collect()
}
