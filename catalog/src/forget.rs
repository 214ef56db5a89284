//! What is left of those of whom nobody says that they leave: containers that are gone without DEL, as all are after a
//! reboot, and joins that were killed.
//!
//! Their leases are in the way of those who come. And what is kept of one is in the way of a container that comes back by
//! the same name: the DEL for its former self would take the interface of its present one.

use cni::{Code, Fault};
use netlink::{LinkName, RouteSocket};
use netns::Netns;
use network::{CacheError, Doing, Entry, Error, Errors, List, Request, Runtime};
use vocab::{Attachment, ContainerId, InterfaceName, NetworkName};

use crate::catalog::{Catalog, CatalogError, Network};
use crate::member::Member;
use crate::target::Sandbox;
use crate::unfinished::{Begun, NoteError, Unfinished};

/// Why what is left of others cannot be taken away.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each is told as it is")]
pub enum ForgetError {
    #[error(transparent)]
    Cache(#[from] CacheError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(transparent)]
    Plugins(#[from] Errors),
}

impl Fault for ForgetError {
    fn code(&self) -> Code {
        match self {
            Self::Cache(error) => error.code(),
            Self::Catalog(error) => error.code(),
            Self::Note(_) => Code::IO,
            Self::Plugins(errors) => errors.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Cache(error) => error.hint(),
            Self::Catalog(error) => error.hint(),
            Self::Note(_) => None,
            Self::Plugins(errors) => errors.hint(),
        }
    }
}

impl Catalog {
    pub(crate) fn unfinished(&self) -> Unfinished {
        Unfinished::below(&self.places().run_dir)
    }

    /// Takes away what joins of a container have made that were killed; the networks that they were for. It must be the
    /// container's turn.
    ///
    /// # Errors
    /// [`ForgetError`]; the next attempt begins with the same.
    pub(crate) fn take_back_unfinished(
        &self,
        runtime: &Runtime,
        sandbox: &Sandbox,
    ) -> Result<Vec<NetworkName>, ForgetError> {
        let unfinished = self.unfinished();
        let mut networks = Vec::new();
        for begun in unfinished.all()? {
            if begun.attachment.container != sandbox.container {
                continue;
            }
            // It may have been killed after the last step.
            if runtime.cache.find(&begun.network, &begun.attachment).unwrap_or(None).is_none() {
                self.take_back(runtime, sandbox, &begun)?;
                networks.push(begun.network.clone());
            }
            unfinished.end(&begun)?;
        }
        Ok(networks)
    }

    /// The DELs for joins of a network that were killed. Nobody may be joining it.
    ///
    /// # Errors
    /// [`NoteError`].
    pub(crate) fn unfinished_of(&self, network: &Network) -> Result<Vec<Request>, NoteError> {
        let begun = self.unfinished().all()?.into_iter().filter(|begun| begun.network == *network.name());
        let request = |begun: Begun| {
            let netns = Some(begun.netns).filter(|_| !has_host_end(network));
            Request::new(begun.attachment, netns)
        };
        Ok(begun.map(request).collect())
    }

    fn take_back(&self, runtime: &Runtime, sandbox: &Sandbox, begun: &Begun) -> Result<(), ForgetError> {
        let network = match self.find(begun.network.as_str()) {
            Err(CatalogError::NotFound { .. }) => return Ok(()),
            found => found?,
        };
        let netns = sandbox.netns.clone().filter(|netns| !has_host_end(&network) && *netns == begun.netns);
        Ok(runtime.del(&network.list, &Request::new(begun.attachment.clone(), netns))?)
    }

    /// Takes away what is left of `container`'s former selves on any network, and of others that were on this one. Returns
    /// what failed.
    ///
    /// # Errors
    /// When it cannot be found out who there is.
    pub(crate) fn forget_dead(
        &self,
        runtime: &Runtime,
        network: &Network,
        container: &ContainerId,
    ) -> Result<Vec<Error>, ForgetError> {
        let is_dead = |entry: &Entry| match entry.attachment.container == *container {
            // Its turn is held, so nobody is about to make it.
            true => !entry.stands().unwrap_or(true),
            false => entry.network == *network.name() && has_vanished(entry),
        };
        let mut lists: Vec<List> = Vec::new();
        let mut errors = Vec::new();
        for entry in runtime.cache.all()?.into_iter().filter(|entry| is_dead(entry)) {
            if lists.iter().any(|list| *list.name() == entry.network) {
                continue;
            }
            match entry.network == *network.name() {
                true => lists.push(network.list.clone()),
                false => match List::parse(entry.config) {
                    Ok(list) => lists.push(list),
                    Err(error) => errors.push(Error {
                        doing: Doing::Forget,
                        attachment: Some(entry.attachment),
                        network: entry.network,
                        reason: error.into(),
                    }),
                },
            }
        }
        errors.extend(lists.iter().flat_map(|list| runtime.forget(list, is_dead, &[])));
        errors.extend(self.forget_unfinished(runtime, network)?);
        Ok(errors)
    }

    /// Takes away what is left of all that have vanished, from whatever network; whether there was anything. Their ports and
    /// addresses are free then. What fails stays for `netctl gc`, which tells of it.
    ///
    /// # Errors
    /// When it cannot be found out who there is.
    pub(crate) fn forget_vanished(&self, runtime: &Runtime, network: &Network) -> Result<bool, ForgetError> {
        let mut lists: Vec<List> = Vec::new();
        for entry in runtime.cache.all()?.into_iter().filter(has_vanished) {
            if !lists.iter().any(|list| *list.name() == entry.network) {
                lists.extend(List::parse(entry.config));
            }
        }
        for list in &lists {
            drop(runtime.forget(list, has_vanished, &[]));
        }
        let begun = self.unfinished().all()?.len();
        drop(self.forget_unfinished(runtime, network)?);
        Ok(!lists.is_empty() || self.unfinished().all()?.len() < begun)
    }

    /// The same for those of whom nothing is kept, for their joins were killed, and then they were gone.
    fn forget_unfinished(&self, runtime: &Runtime, network: &Network) -> Result<Vec<Error>, ForgetError> {
        let unfinished = self.unfinished();
        let is_dead = |begun: &Begun| {
            begun.network == *network.name() && Netns::open(&begun.netns).is_err_and(|error| error.is_gone())
        };
        let dead: Vec<Begun> = unfinished.all()?.into_iter().filter(is_dead).collect();
        if dead.is_empty() {
            return Ok(Vec::new());
        }
        let attachments: Vec<Attachment> = dead.iter().map(|begun| begun.attachment.clone()).collect();
        let errors = runtime.forget(&network.list, |_| false, &attachments);
        if errors.is_empty() {
            dead.iter().try_for_each(|begun| unfinished.end(begun))?;
        }
        Ok(errors)
    }
}

/// Whether an attachment is found by its end on the host. Only another is looked for in the container's namespace: one of that
/// name may be another container's by now.
fn has_host_end(network: &Network) -> bool {
    network.view.driver == "bridge"
}

/// Whether a container is gone for sure, namespace and link. A namespace alone that is not found may be one that this
/// program cannot see: its runtime has its own view of the file tree.
fn has_vanished(entry: &Entry) -> bool {
    let is_gone =
        entry.namespace().is_some_and(|netns| Netns::open(netns).is_err_and(|error| error.is_gone()));
    is_gone && Member::of(entry).host_interface.is_some_and(|port| is_absent(&port).unwrap_or(false))
}

fn is_absent(port: &InterfaceName) -> Result<bool, netlink::Error> {
    Ok(RouteSocket::open()?.find_link(LinkName::Name(port))?.is_none())
}
