//! Where one contender publishes ports: a site of its own, a network, and who is already on it.

use super::Error;
use crate::container::Container;
use crate::contender::{Attached, Contender, Tenant};
use crate::lan::Lan;
use crate::ports::Ports;
use crate::site::Site;
use crate::traffic;
use std::time::Duration;

/// The network that is looked at.
const MAIN: u8 = 1;

/// The network of the others. In between there is room for further ones.
const OTHERS: u8 = 200;

/// The first number for a container, as [`Tenant`] means it, and the last.
const NUMBERS: (u16, u16) = (2, u16::MAX - 1);

/// A contender at work in a site of its own.
///
/// Used namespaces are kept until the end: the kernel needs long for removing one, and others feel it.
#[derive(Debug)]
pub(super) struct Stand<'a> {
    contender: &'a dyn Contender,
    pub(super) site: Site,
    next: u16,
    used: Vec<Container>,
}

/// What one container took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) add: Duration,
    pub(super) del: Duration,
}

impl<'a> Stand<'a> {
    /// A site in which nothing has been done.
    pub(super) fn new(contender: &'a dyn Contender, site: Site) -> Self {
        Self { contender, site, next: NUMBERS.0, used: Vec::new() }
    }

    /// Who works here.
    pub(super) fn contender(&self) -> &'a dyn Contender {
        self.contender
    }

    /// The nth network; without a number, the one that is looked at.
    pub(super) fn lan(&self, nth: Option<u8>) -> Lan {
        self.site.lan(nth.unwrap_or(MAIN))
    }

    /// A container that has not been attached.
    pub(super) fn tenant(&mut self, ports: Ports) -> Result<Tenant, Error> {
        let number = self.next;
        self.next = if number == NUMBERS.1 { NUMBERS.0 } else { number + 1 };
        Ok(Tenant { container: Container::create()?, number, ports })
    }

    /// Attaches a container.
    pub(super) fn attach(&self, lan: &Lan, tenant: &Tenant) -> Result<(Duration, Attached), Error> {
        Ok(self.site.run(|| self.contender.attach(lan, tenant))??)
    }

    /// Detaches it.
    pub(super) fn detach(&self, lan: &Lan, tenant: &Tenant, attached: &Attached) -> Result<Duration, Error> {
        Ok(self.site.run(|| self.contender.detach(lan, tenant, attached))??)
    }

    /// Attaches a container that stays.
    pub(super) fn settle_down(&mut self, nth: Option<u8>, ports: Ports) -> Result<Attached, Error> {
        let (lan, tenant) = (self.lan(nth), self.tenant(ports)?);
        let (_, attached) = self.attach(&lan, &tenant)?;
        self.keep(tenant);
        Ok(attached)
    }

    /// Lets others have published so many ports, on another network.
    pub(super) fn crowd(&mut self, count: u16) -> Result<(), Error> {
        let lan = self.site.lan(OTHERS);
        let others = self.site.run(|| self.contender.crowd(&lan, count))??;
        others.into_iter().for_each(|tenant| self.keep(tenant));
        Ok(self.site.settle()?)
    }

    /// Attaches a container and detaches it.
    pub(super) fn live(&mut self, ports: Ports) -> Result<Life, Error> {
        let (lan, tenant) = (self.lan(None), self.tenant(ports)?);
        let (add, attached) = self.attach(&lan, &tenant)?;
        let del = self.detach(&lan, &tenant, &attached)?;
        self.keep(tenant);
        self.site.settle()?;
        Ok(Life { add, del })
    }

    /// What traffic to a container of this contender came to.
    pub(super) fn passed<T>(&self, traffic: Result<T, traffic::Error>) -> Result<T, Error> {
        traffic.map_err(|source| Error::Traffic { contender: self.contender.name(), source })
    }

    /// Keeps a container whose turn is over.
    pub(super) fn keep(&mut self, tenant: Tenant) {
        self.used.push(tenant.container);
    }

    /// Removes the site with everything that is in it.
    pub(super) fn end(self) -> Result<(), Error> {
        self.used.into_iter().try_for_each(Container::remove)?;
        Ok(self.site.remove()?)
    }
}
