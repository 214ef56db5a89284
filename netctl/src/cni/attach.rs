//! `netctl cni add`, `del` and `check`.

use std::ffi::OsString;

use clap::Args;
use network::{FolderError, List, Request, Runtime};
use vocab::NetworkName;

use super::answer::Answer;
use super::network::NetworkArg;
use super::request::AttachmentOptions;
use super::trouble::Trouble;
use crate::report;
use crate::roots::Roots;

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
    pub(super) fn run(self, roots: &Roots) -> Result<Answer, Trouble> {
        let list = self.network.find(roots)?;
        let request = self.attachment.request_inside(&self.netns)?;
        let result = roots.runtime().add(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::added(&result, list.version())?)
    }
}

impl Check {
    pub(super) fn run(self, roots: &Roots) -> Result<Answer, Trouble> {
        let list = self.network.find(roots)?;
        let request = self.attachment.request_inside(&self.netns)?;
        roots.runtime().check(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }
}

impl Del {
    pub(super) fn run(self, roots: &Roots) -> Result<Answer, Trouble> {
        let runtime = roots.runtime();
        let request = self.attachment.request(self.netns.as_ref())?;
        let list = match self.network.as_path() {
            Some(_) => self.network.find(roots)?,
            None => {
                self.network.find_by_name(&roots.folder()).or_else(|error| kept(&runtime, &request, error))?
            }
        };
        runtime.del(&list, &request).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }
}

/// The network as it was at ADD, for an attachment that outlives its file.
fn kept(runtime: &Runtime, request: &Request, error: FolderError) -> Result<List, FolderError> {
    let FolderError::NotFound { name, .. } = &error else { return Err(error) };
    let name = NetworkName::new(name).ok();
    let entry = name.and_then(|name| runtime.cache.find(&name, &request.attachment).ok().flatten());
    let Some(list) = entry.and_then(|entry| List::parse(entry.config).ok()) else { return Err(error) };
    report::warning(&error, Some("it is taken away as it was when the container was attached"));
    Ok(list)
}
