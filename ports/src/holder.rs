//! Who has a port of the host.

use std::fmt;

use firewall::iptables::publish::Claim;
use firewall::{Firewall, Owner};
use listeners::{Listener, Wanted};
use vocab::{ContainerId, PortMapping};

/// Who has a port of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A container's interface, in our table.
    Attachment(Owner),
    /// A container, in iptables.
    Chain(Claim),
    /// A process that listens.
    Process(Listener),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attachment(owner) => write!(f, "{owner} (network/container/interface)"),
            Self::Chain(Claim { owner: Some(owner), .. }) => write!(f, "{owner}, by iptables"),
            Self::Chain(Claim { chain, .. }) => write!(f, "chain {chain} of iptables"),
            Self::Process(listener) => listener.fmt(f),
        }
    }
}

impl Holder {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Attachment(owner) => {
                format!("publish another port, or end {owner}: DEL, or GC if it is gone")
            }
            Self::Chain(Claim { chain, .. }) => format!(
                "publish another port, or end that container; if it is gone, \
                 `iptables -t nat -S {chain}` shows what it left"
            ),
            Self::Process(Listener { pid: Some(pid), .. }) => {
                format!("publish another port, or stop process {pid}")
            }
            Self::Process(_) => "publish another port, or stop that process; `ss -lntup` shows it".to_owned(),
        }
    }
}

/// Why it is not known who has a port.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our table cannot be asked.
    #[error(transparent)]
    Ports(#[from] firewall::ports::Error),
    /// iptables cannot be asked.
    #[error(transparent)]
    Iptables(#[from] firewall::iptables::publish::Error),
    /// The kernel does not tell who listens.
    #[error(transparent)]
    Listeners(#[from] listeners::Error),
}

impl Error {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ports(error) => error.hint(),
            Self::Iptables(error) => error.hint(),
            Self::Listeners(_) => None,
        }
    }
}

/// Where it is looked for who has a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// Everywhere.
    All,
    /// Everywhere but in our table, which will tell by itself.
    Others,
}

/// The first of these ports that somebody else has, and who: another container in iptables, or a process. About our own
/// table it is not asked here: `Firewall::publish` tells by itself, and leaves nobody time in between. A container is not
/// in its own way, and neither is the `conmon` that keeps its ports for it.
///
/// It takes as long for a thousand ports as for one.
///
/// # Errors
/// [`Error`], when it cannot be found out.
pub fn find_holder(
    firewall: &mut Firewall,
    mappings: &[PortMapping],
    container: &ContainerId,
) -> Result<Option<(PortMapping, Holder)>, Error> {
    find(firewall, mappings, Some(container), Among::Others)
}

pub(crate) fn find(
    firewall: &mut Firewall,
    mappings: &[PortMapping],
    container: Option<&ContainerId>,
    among: Among,
) -> Result<Option<(PortMapping, Holder)>, Error> {
    if among == Among::All {
        for mapping in mappings {
            if let Some(owner) = firewall.find_port_owner(mapping, None)? {
                return Ok(Some((*mapping, Holder::Attachment(owner))));
            }
        }
    }
    if let Some(claim) = firewall.find_iptables_claims(mappings, container)?.into_iter().next() {
        return Ok(Some((claim.mapping, Holder::Chain(claim))));
    }
    let wanted: Vec<Wanted> = mappings.iter().map(Wanted::from).collect();
    let found = listeners::find_any_but(&wanted, |listener| {
        container.is_some_and(|container| keeps_ports_of(listener, container))
    })?;
    Ok(found.and_then(|(wanted, listener)| {
        let mapping = mappings.iter().find(|mapping| Wanted::from(*mapping) == wanted)?;
        Some((*mapping, Holder::Process(listener)))
    }))
}

/// Whether a process only has a port so that nobody else gets it: podman lets the `conmon` of a container listen on all
/// that is published for it, from the first ADD on, and answers nobody there. So every later one meets it: of a reload, of
/// `podman network reload`, of a further network.
fn keeps_ports_of(listener: &Listener, container: &ContainerId) -> bool {
    let Listener { pid: Some(pid), program: Some(program), .. } = listener else { return false };
    program == "conmon"
        && std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| is_started_for(&words, container))
}

/// Whether a command line names a container.
fn is_started_for(words: &[u8], container: &ContainerId) -> bool {
    words.split(|byte| *byte == 0).any(|word| word == container.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conmon_is_started_for_the_container_that_it_names() {
        let words = ["/usr/bin/conmon", "--api-version", "1", "-c", "c0ffee", "-r", "/usr/sbin/runc", ""];
        let words = words.join("\0");
        let is_for = |name| is_started_for(words.as_bytes(), &ContainerId::new(name).unwrap());
        assert_eq!(["c0ffee", "c0ffe", "1", "decaf"].map(is_for), [true, false, true, false]);
    }
}
