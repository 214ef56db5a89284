//! Reload: what somebody flushed of attachments that stand is put back.
//!
//! No verb of the specification. What is known of the attachments is in the cache, whichever runtime made them; the
//! plugins of ours put back what they keep in the kernel, those of others are passed over.

use std::path::Path;

use cni::{Call, Cause, CheckCall, Reloaded, Success, Verb};
use netlink::{LinkName, RouteSocket};
use netns::Netns;
use vocab::{Attachment, NetworkName};

use super::{Doing, Error, Reason, Request, Runtime};
use crate::list::Injected;
use crate::{CacheError, Entry, List};

/// An attachment that is kept in the cache, and what became of it.
#[derive(Debug)]
pub struct Attached {
    /// The network.
    pub network: NetworkName,
    /// The container and its interface.
    pub attachment: Attachment,
    /// What became of it.
    pub fate: Result<Fate, Error>,
}

/// What became of an attachment that was to be reloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Everything was in place.
    AsItWas,
    /// Something had been missing, and is there again.
    PutBack,
    /// The container is gone: DEL or GC is to come.
    Gone,
}

impl Entry {
    /// Whether the attachment stands: the container is there, and its interface has an address of those that ADD
    /// answered.
    ///
    /// # Errors
    /// When the container's namespace can be opened and not looked into.
    pub fn stands(&self) -> Result<bool, Reason> {
        self.namespace().map_or(Ok(false), |netns| is_there(netns, &self.attachment, &self.result))
    }
}

impl Runtime {
    /// Puts back what is missing of every attachment of the networks that `is_meant` accepts. Goes on after a failure.
    ///
    /// # Errors
    /// When the cache cannot be read.
    pub fn reload(&self, is_meant: impl Fn(&NetworkName) -> bool) -> Result<Vec<Attached>, CacheError> {
        let entries = self.cache.all()?.into_iter().filter(|entry| is_meant(&entry.network));
        let reload = |entry: Entry| {
            let (network, attachment) = (entry.network.clone(), entry.attachment.clone());
            let failed = |reason| Error {
                doing: Doing::Reload,
                attachment: Some(attachment.clone()),
                network: network.clone(),
                reason,
            };
            let fate = self.reload_entry(&entry).map_err(failed);
            Attached { network, attachment, fate }
        };
        Ok(entries.map(reload).collect())
    }

    fn reload_entry(&self, entry: &Entry) -> Result<Fate, Reason> {
        let Some(netns) = entry.namespace() else { return Ok(Fate::Gone) };
        if !entry.stands()? {
            return Ok(Fate::Gone);
        }
        let list = List::parse(entry.config.clone())?;
        let _held = self.locks.shared(list.name())?;
        let request = Request {
            attachment: entry.attachment.clone(),
            netns: Some(netns.to_owned()),
            args: entry.args.clone(),
            capability_args: entry.capability_args.clone(),
        };
        let previous = entry.result.to_value(list.version())?;
        let capability_args = Some(&request.capability_args);
        let injected = Injected { previous: Some(&previous), capability_args, ..Injected::default() };
        let mut outcome = Reloaded::AsItWas;
        for plugin in list.plugins() {
            let Some(own) = self.registry.find(plugin.kind()) else { continue };
            let call = self.call(&list, plugin, injected, Some(&request))?;
            outcome = outcome.max(reload_plugin(own, call, &request, netns)?);
        }
        Ok(match outcome {
            Reloaded::AsItWas => Fate::AsItWas,
            Reloaded::PutBack => Fate::PutBack,
        })
    }
}

fn reload_plugin(
    plugin: &dyn cni::Plugin,
    mut call: Call,
    request: &Request,
    netns: &Path,
) -> Result<Reloaded, Cause> {
    let mut environment = (*call.environment).clone();
    environment.command = Verb::Check.as_str().to_owned();
    call.environment = environment.into();
    let call = CheckCall { call, attachment: request.attachment.clone(), netns: netns.to_owned() };
    plugin.reload(&call).map_err(Cause::from)
}

/// Whether the container's interface is there with one of its addresses. The path alone tells nothing: the process whose
/// namespace it names may be another one by now.
fn is_there(netns: &Path, attachment: &Attachment, result: &Success) -> Result<bool, Reason> {
    let namespace = match Netns::open(netns) {
        Err(error) if error.is_gone() => return Ok(false),
        Err(netns::Error::NotANamespace { .. } | netns::Error::OtherKind { .. }) => return Ok(false),
        opened => opened?,
    };
    let found = namespace.run(|| {
        let mut socket = RouteSocket::open()?;
        let Some(link) = socket.find_link(LinkName::Name(&attachment.interface))? else { return Ok(None) };
        socket.addresses_of(link.index).map(Some)
    })?;
    let addresses = found.map_err(|error: netlink::Error| error)?;
    let is_its_own =
        |address: &netlink::Address| result.ips.iter().any(|ip| ip.address.ip() == address.network.ip());
    Ok(addresses.is_some_and(|addresses| result.ips.is_empty() || addresses.iter().any(is_its_own)))
}
