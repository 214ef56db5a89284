//! Taking a container away from a network, and giving it another way out when that was its way out.

use std::io;

use cni::{Code, Fault};
use netns::Netns;
use network::{CacheError, Entry, Errors, Runtime};
use vocab::{ContainerId, InterfaceName, NetworkName};

use crate::catalog::{Catalog, Network};
use crate::forget::ForgetError;
use crate::join::leaving;
use crate::listed::listed;
use crate::member::Member;
use crate::target::Sandbox;
use crate::turn::Turn;
use crate::unfinished::NoteError;

/// Why a container cannot leave a network.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message names the fields")]
pub enum LeaveError {
    /// It is not there.
    #[error("{container} is not connected to network {network}{}", told(on))]
    NotThere { container: ContainerId, network: NetworkName, on: Vec<NetworkName> },
    /// It has no interface of that name there.
    #[error("{container} has no interface {interface} on network {network}: it has {}", listed(has))]
    NoInterface {
        container: ContainerId,
        network: NetworkName,
        interface: InterfaceName,
        has: Vec<InterfaceName>,
    },
    /// What is kept of attachments cannot be read.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Its namespace cannot be opened.
    #[error("open the network namespace of {container}")]
    Open { container: ContainerId, source: netns::Error },
    /// Others cannot be kept away.
    #[error("lock the network namespace of {container}")]
    Lock { container: ContainerId, source: io::Error },
    /// What is left of a join that was killed cannot be taken away.
    #[error(transparent)]
    Forget(#[from] ForgetError),
    /// A plugin failed.
    #[error(transparent)]
    Plugins(#[from] Errors),
}

fn told(on: &[NetworkName]) -> String {
    match on {
        [] => String::new(),
        on => format!(", but to {}", listed(on)),
    }
}

impl Fault for LeaveError {
    fn code(&self) -> Code {
        match self {
            Self::NotThere { .. } | Self::NoInterface { .. } => Code::UNKNOWN_CONTAINER,
            Self::Open { .. } | Self::Lock { .. } => Code::INVALID_NETNS,
            Self::Cache(error) => error.code(),
            Self::Forget(error) => error.code(),
            Self::Plugins(errors) => errors.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotThere { network, .. } => Some(format!("`netctl inspect {network}` shows who is on it")),
            Self::NoInterface { .. } | Self::Open { .. } | Self::Lock { .. } => None,
            Self::Cache(error) => error.hint(),
            Self::Forget(error) => error.hint(),
            Self::Plugins(errors) => errors.hint(),
        }
    }
}

impl Catalog {
    /// Takes a container away from a network: all of its interfaces there, or the one that is named.
    ///
    /// # Errors
    /// [`LeaveError`].
    pub fn leave(
        &self,
        runtime: &Runtime,
        network: &Network,
        sandbox: &Sandbox,
        interface: Option<&InterfaceName>,
    ) -> Result<Vec<Member>, LeaveError> {
        let _turn = turn(sandbox)?;
        let taken_back = self.take_back_unfinished(runtime, sandbox)?;
        let entries = runtime.cache.all()?;
        let own: Vec<&Entry> =
            entries.iter().filter(|entry| entry.attachment.container == sandbox.container).collect();
        let (here, elsewhere): (Vec<&Entry>, Vec<&Entry>) =
            own.into_iter().partition(|entry| entry.network == *network.name());
        let container = sandbox.container.clone();
        if here.is_empty() {
            if network.is_built_in() {
                // Somebody may have been killed between the two.
                self.end_if_empty(runtime, network)?;
            }
            if taken_back.contains(network.name()) {
                return Ok(Vec::new());
            }
            let mut on: Vec<NetworkName> = elsewhere.iter().map(|entry| entry.network.clone()).collect();
            on.dedup();
            return Err(LeaveError::NotThere { container, network: network.name().clone(), on });
        }
        let is_meant =
            |entry: &&&Entry| interface.is_none_or(|interface| entry.attachment.interface == *interface);
        let leaving_now: Vec<&Entry> = here.iter().filter(is_meant).copied().collect();
        if let (true, Some(interface)) = (leaving_now.is_empty(), interface) {
            let has = here.iter().map(|entry| entry.attachment.interface.clone()).collect();
            return Err(LeaveError::NoInterface {
                container,
                network: network.name().clone(),
                interface: interface.clone(),
                has,
            });
        }
        let mut gone = Vec::with_capacity(leaving_now.len());
        for entry in leaving_now {
            gone.push(Member::of(entry));
            let (list, request) = leaving(&network.list, entry);
            runtime.del(&list, &request)?;
        }
        if network.is_built_in() {
            self.end_if_empty(runtime, network)?;
        }
        Ok(gone)
    }

    /// No file says that the network `bridge` exists, and no `rm` ends it: it is made for its first container and goes
    /// with its last one, link and leases.
    pub(crate) fn end_if_empty(&self, runtime: &Runtime, network: &Network) -> Result<(), LeaveError> {
        let is_there = |entry: &Entry| entry.stands().unwrap_or(true);
        let is_allowed = |entries: &[Entry]| match entries.iter().any(is_there) {
            true => Err(NotEmpty::Used),
            false => self.unfinished_of(network).map_err(NotEmpty::Note),
        };
        match runtime.retire(&network.list, is_allowed, || Ok(())) {
            Ok(()) | Err(NotEmpty::Used) => Ok(()),
            Err(NotEmpty::Note(error)) => Err(ForgetError::from(error).into()),
            Err(NotEmpty::Plugins(errors)) => Err(errors.into()),
        }
    }
}

/// The turn with a container; none, when its namespace is gone, for nobody joins that.
fn turn(sandbox: &Sandbox) -> Result<Option<Turn>, LeaveError> {
    let Some(netns) = sandbox.netns.as_deref() else { return Ok(None) };
    let netns = match Netns::open(netns) {
        Err(error) if error.is_gone() => return Ok(None),
        Err(netns::Error::NotANamespace { .. } | netns::Error::OtherKind { .. }) => return Ok(None),
        opened => {
            opened.map_err(|source| LeaveError::Open { container: sandbox.container.clone(), source })?
        }
    };
    let turn = Turn::wait(&netns);
    turn.map(Some).map_err(|source| LeaveError::Lock { container: sandbox.container.clone(), source })
}

/// Why a network did not end.
enum NotEmpty {
    /// Containers are on it.
    Used,
    /// Whose joins were killed cannot be found out.
    Note(NoteError),
    /// A plugin failed.
    Plugins(Errors),
}

impl From<Errors> for NotEmpty {
    fn from(errors: Errors) -> Self {
        Self::Plugins(errors)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::{Scratch, bare_runtime, catalog, entry, network_of};

    /// Why `blue`, which is on networks `db` and `web`, cannot leave `network` by `interface`.
    fn refused(network: &str, interface: Option<&str>) -> LeaveError {
        let scratch = Scratch::new();
        let runtime = bare_runtime(&scratch);
        for on in ["db", "web"] {
            runtime.cache.write(&entry(on, "blue", &json!({}))).unwrap();
        }
        runtime.cache.write(&entry("cache", "red", &json!({}))).unwrap();
        let network = network_of(network, json!({"type": "bridge"}), &[]);
        let sandbox = Sandbox { container: ContainerId::new("blue").unwrap(), netns: None };
        let interface = interface.map(|name| InterfaceName::new(name).unwrap());
        catalog(&scratch).leave(&runtime, &network, &sandbox, interface.as_ref()).unwrap_err()
    }

    #[test]
    fn who_is_not_there_is_told_where_he_is() {
        let error = refused("cache", None);
        assert_eq!(error.to_string(), "blue is not connected to network cache, but to db, web");
        let hint = "`netctl inspect cache` shows who is on it";
        assert_eq!((error.hint().as_deref(), error.code()), (Some(hint), Code::UNKNOWN_CONTAINER));
    }

    #[test]
    fn an_interface_that_is_not_there_is_told_with_those_that_are() {
        let error = refused("web", Some("eth7"));
        assert_eq!(error.to_string(), "blue has no interface eth7 on network web: it has eth0");
    }

    #[test]
    fn who_leaves_does_so_by_the_plugins_that_he_came_by() {
        // There is no plugin here: what it is asked for is what failed.
        let error = refused("web", None);
        assert!(matches!(error, LeaveError::Plugins(_)), "{error}");
    }
}
