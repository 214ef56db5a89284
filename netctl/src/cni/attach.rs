//! `netctl cni add`, `del` and `check`.

use std::ffi::OsString;

use clap::Args;
use network::{FolderError, List, Request, Runtime};
use vocab::NetworkName;

use super::answer::Answer;
use super::network::{NetworkArg, is_built_in};
use super::request::AttachmentOptions;
use super::trouble::Trouble;
use crate::network::place::Place;
use crate::report;

/// Attach a container to a network, and print what was made
#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    network: NetworkArg,
    /// The container's namespace: a name, a path or a process
    netns: OsString,
    #[command(flatten)]
    attachment: AttachmentOptions,
}

/// Take a container away from a network
#[derive(Debug, Args)]
#[command(
    after_help = "It may be repeated, and succeeds when there is nothing left, be the namespace there or not."
)]
pub(super) struct Del {
    #[command(flatten)]
    network: NetworkArg,
    /// The container's namespace: a name, a path or a process; with --container-id it may be left out
    netns: Option<OsString>,
    #[command(flatten)]
    attachment: AttachmentOptions,
}

/// Find out whether an attachment is still as it was made
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    network: NetworkArg,
    /// The container's namespace: a name, a path or a process
    netns: OsString,
    #[command(flatten)]
    attachment: AttachmentOptions,
}

impl Add {
    pub(super) fn run(self, place: &Place) -> Result<Answer, Trouble> {
        let list = self.network.find(place)?;
        let request = self.attachment.request_inside(&self.netns)?;
        let result = place.roots.runtime().add(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::added(&result, list.version())?)
    }
}

impl Check {
    pub(super) fn run(self, place: &Place) -> Result<Answer, Trouble> {
        let list = self.network.find(place)?;
        let runtime = place.roots.runtime();
        let request = self.attachment.request_inside(&self.netns)?;
        let request = self.attachment.as_attached(request, list.name(), &runtime.cache);
        runtime.check(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }
}

impl Del {
    pub(super) fn run(self, place: &Place) -> Result<Answer, Trouble> {
        let runtime = place.roots.runtime();
        let request = self.attachment.request(self.netns.as_ref())?;
        let (list, request) = match self.network.as_path() {
            Some(_) => {
                let list = self.network.find(place)?;
                let request = self.attachment.as_attached(request, list.name(), &runtime.cache);
                (list, request)
            }
            None => {
                let name = NetworkName::new(&self.network.name()).ok();
                let request = match &name {
                    Some(name) => self.attachment.as_attached(request, name, &runtime.cache),
                    None => request,
                };
                match name.and_then(|name| self.kept(&runtime, &name, &request, place)) {
                    Some(list) => (list, request),
                    None => (self.network.find(place)?, request),
                }
            }
        };
        runtime.del(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }

    /// The network as it was at ADD, for an attachment that outlives its file or never had one.
    fn kept(&self, runtime: &Runtime, name: &NetworkName, request: &Request, place: &Place) -> Option<List> {
        let Err(error @ FolderError::NotFound { .. }) = self.network.find_by_name(place) else { return None };
        let entry = runtime.cache.find(name, &request.attachment).ok().flatten()?;
        let list = List::parse(entry.config).ok()?;
        if !is_built_in(name.as_str()) {
            report::warning(&error, Some("it is taken away as it was when the container was attached"));
        }
        Some(list)
    }
}
