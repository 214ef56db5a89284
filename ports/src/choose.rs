//! Choosing a free port of the host.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use firewall::Firewall;
use vocab::{HostPorts, Port, PortMapping, PortRange, Protocol, Publish};

use crate::holder::{self, Among};
use crate::reserve::{self, Reserve};

/// Which ports the kernel gives to whoever names none (`ip-sysctl.rst`), for either IP version.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// Why no port was chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// All of them are taken.
    #[error("choose a host port for {publish}: all of {range}/{} are taken", publish.protocol)]
    NoneFree {
        /// What was to be published.
        publish: Publish,
        /// Which ports were considered.
        range: PortRange,
    },
    /// It is not known which ports may be chosen.
    #[error("read which ports may be chosen from {EPHEMERAL}")]
    Range(#[source] io::Error),
    /// It is not known who has a port.
    #[error(transparent)]
    Holder(#[from] holder::Error),
    /// Others cannot be kept from choosing the same.
    #[error("reserve ports in {}", path.display())]
    Reserve {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

impl From<reserve::Error> for ChooseError {
    fn from(error: reserve::Error) -> Self {
        Self::Reserve { path: error.path, source: error.source }
    }
}

impl ChooseError {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoneFree { publish, .. } => Some(match publish.host_ports {
                HostPorts::Free => "name a host port, or widen net.ipv4.ip_local_port_range".to_owned(),
                _ => "name more host ports, or end a container that has one of them".to_owned(),
            }),
            Self::Holder(error) => error.hint(),
            Self::Range(_) | Self::Reserve { .. } => None,
        }
    }
}

/// Chooses ports, and keeps other choosers away from them until it is dropped. By then they should be published:
/// whoever names a port instead of choosing one may still be quicker, and then `Firewall::publish` tells.
#[derive(Debug)]
pub struct Chooser {
    reserve: Reserve,
    /// Chosen before, but not published yet.
    chosen: HashSet<(Protocol, Port)>,
    firewall: Firewall,
}

/// What was chosen: each of a container's ports with one of the host's.
pub type Choice = Vec<PortMapping>;

impl Chooser {
    /// A chooser whose reservations all those respect that use the same folder (`/run/netctl`).
    ///
    /// # Errors
    /// [`ChooseError::Reserve`].
    pub fn open(folder: &Path) -> Result<Self, ChooseError> {
        Ok(Self { reserve: Reserve::open(folder)?, chosen: HashSet::new(), firewall: Firewall::new() })
    }

    /// Settles what a person wrote. What is settled already stays as it is, taken or not. `chance` decides where the
    /// search for a free port begins, so that a port that has just become free is not given to the next one at once.
    ///
    /// # Errors
    /// [`ChooseError`].
    pub fn choose(&mut self, publish: &Publish, chance: u32) -> Result<Choice, ChooseError> {
        if let Some(settled) = publish.settled() {
            return Ok(settled);
        }
        let (range, first) = match publish.host_ports {
            HostPorts::OneOf(range) | HostPorts::Each(range) => (range, 0),
            HostPorts::Free => {
                let range = ephemeral_range()?;
                (range, chance % range.count())
            }
        };
        let candidates: Vec<Port> = range.ports().collect();
        let (before, from) = candidates.split_at(first as usize);
        let mut candidates = from.iter().chain(before).copied();
        publish.container_ports.ports().map(|port| self.one(publish, port, &mut candidates, range)).collect()
    }

    fn one(
        &mut self,
        publish: &Publish,
        container_port: Port,
        candidates: &mut impl Iterator<Item = Port>,
        range: PortRange,
    ) -> Result<PortMapping, ChooseError> {
        for port in candidates {
            let mapping = publish.mapping(port, container_port);
            if self.chosen.contains(&(mapping.protocol, port)) {
                continue;
            }
            // First: who is told that a port is free must not be the second to be told so.
            if self.reserve.try_port(mapping.protocol, port)? && self.is_free(&mapping)? {
                self.chosen.insert((mapping.protocol, port));
                return Ok(mapping);
            }
        }
        Err(ChooseError::NoneFree { publish: *publish, range })
    }

    fn is_free(&mut self, mapping: &PortMapping) -> Result<bool, holder::Error> {
        let found = holder::find(&mut self.firewall, std::slice::from_ref(mapping), None, Among::All)?;
        Ok(found.is_none())
    }
}

fn ephemeral_range() -> Result<PortRange, ChooseError> {
    let text = fs::read_to_string(EPHEMERAL).map_err(ChooseError::Range)?;
    let mut ends = text.split_whitespace().filter_map(|end| end.parse::<Port>().ok());
    let range = ends.next().zip(ends.next()).and_then(|(first, last)| PortRange::new(first, last).ok());
    range.ok_or_else(|| ChooseError::Range(io::Error::other(format!("expected two ports, found {text:?}"))))
}
