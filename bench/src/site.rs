//! Hosts within the host: a network namespace for each contender, so that nobody walks through the rules of
//! another.
//!
//! A process is born in the network namespace of the thread that starts it. A call made in [`Site::run`] is
//! therefore measured like any other: nothing enters anything between its start and its end.

use crate::lan::Lan;
use crate::settle;
use lab::{Here, Place};
use netns::{Directory, Name, Netns};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The site's address on its cable to the outside.
pub const UPLINK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A host within the host: a network namespace in which a contender works alone.
#[derive(Debug)]
pub struct Site {
    number: u32,
    inside: Realm,
    outside: Option<Realm>,
}

/// A namespace with a name.
#[derive(Debug)]
struct Realm {
    name: Name,
    netns: Netns,
}

/// A site could not be made, entered or removed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Name(#[from] netns::InvalidName),
    #[error(transparent)]
    Directory(#[from] netns::directory::Error),
    #[error(transparent)]
    Namespace(#[from] netns::Error),
    #[error(transparent)]
    Command(#[from] lab::outcome::Unexpected),
    #[error(transparent)]
    Settle(#[from] settle::Error),
    #[error("go outside from site {number}, which has no cable")]
    NoCable { number: u32 },
}

impl Site {
    /// Makes a site whose `lo` is up.
    ///
    /// # Errors
    /// The namespace cannot be made.
    pub fn create() -> Result<Self, Error> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let site = Self { number, inside: Realm::create(&format!("site-{number:04}"))?, outside: None };
        site.run(|| Here.run(["ip", "link", "set", "lo", "up"]).ok())??;
        Ok(site)
    }

    /// Makes a site with a cable to a namespace outside, from which [`UPLINK`] is reached.
    ///
    /// # Errors
    /// A namespace or the cable cannot be made.
    pub fn with_outside() -> Result<Self, Error> {
        let mut site = Self::create()?;
        let outside = Realm::create(&format!("site-{:04}-outside", site.number))?;
        let name = outside.name.as_os_str().display();
        let script = format!(
            "ip link add uplink type veth peer name eth0 netns {name}
             ip address add {UPLINK}/24 dev uplink
             ip link set uplink up"
        );
        site.run(|| Here.sh(&script).ok())??;
        let script = "ip address add 192.0.2.2/24 dev eth0
                      ip link set eth0 up";
        outside.netns.run(|| Here.sh(script).ok())??;
        site.outside = Some(outside);
        Ok(site)
    }

    /// The nth network of this site.
    #[must_use]
    pub fn lan(&self, nth: u8) -> Lan {
        Lan::new(self.number, nth)
    }

    /// Does a job in the site.
    ///
    /// # Errors
    /// As [`Netns::run`] tells.
    pub fn run<T: Send>(&self, job: impl FnOnce() -> T + Send) -> Result<T, Error> {
        Ok(self.inside.netns.run(job)?)
    }

    /// The namespace at the other end of the cable.
    ///
    /// # Errors
    /// [`Error::NoCable`].
    pub fn outside(&self) -> Result<&Netns, Error> {
        let outside = self.outside.as_ref().ok_or(Error::NoCable { number: self.number })?;
        Ok(&outside.netns)
    }

    /// Returns when nothing goes on in the site any more.
    ///
    /// # Errors
    /// As [`settle::settle`] tells.
    pub fn settle(&self) -> Result<(), Error> {
        Ok(self.run(settle::settle)??)
    }

    /// Removes the site with everything that is in it. The kernel goes on with that for a while.
    ///
    /// # Errors
    /// As [`Directory::delete`] tells.
    pub fn remove(self) -> Result<(), Error> {
        self.outside.map_or(Ok(()), Realm::remove)?;
        self.inside.remove()
    }
}

impl Realm {
    fn create(name: &str) -> Result<Self, Error> {
        let name = Name::new(name)?;
        Directory::default().create(&name)?;
        let netns = Directory::default().open(&name)?;
        Ok(Self { name, netns })
    }

    fn remove(self) -> Result<(), Error> {
        Ok(Directory::default().delete(&self.name)?)
    }
}
