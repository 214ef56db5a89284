//! Which namespaces a container has of its own, and which it shares.

use std::path::PathBuf;

use oci::{Namespace, NamespaceKind};

use super::Shared;
use crate::Mode;

pub(super) fn of(mode: &Mode, shared: Option<&Shared>) -> Vec<Namespace> {
    let new = |kind| Namespace { kind, path: None };
    let mut namespaces = vec![new(NamespaceKind::Mount), new(NamespaceKind::Pid), new(NamespaceKind::Cgroup)];
    match (mode, shared) {
        (Mode::Container(_), Some(Shared { pid, .. })) => {
            let of_other =
                |kind, name: &str| Namespace { kind, path: Some(format!("/proc/{pid}/ns/{name}").into()) };
            namespaces.extend([
                of_other(NamespaceKind::Network, "net"),
                of_other(NamespaceKind::Uts, "uts"),
                of_other(NamespaceKind::Ipc, "ipc"),
            ]);
        }
        (mode, _) => {
            namespaces.extend([new(NamespaceKind::Uts), new(NamespaceKind::Ipc)]);
            namespaces.extend(network(mode).map(|path| Namespace { kind: NamespaceKind::Network, path }));
        }
    }
    namespaces
}

/// Nothing leaves a container in the host's.
fn network(mode: &Mode) -> Option<Option<PathBuf>> {
    match mode {
        Mode::Networks(_) | Mode::None => Some(None),
        Mode::Namespace(path) => Some(Some(path.clone())),
        Mode::Host | Mode::Container(_) => None,
    }
}
