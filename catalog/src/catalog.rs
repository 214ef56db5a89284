//! The networks of a host, by name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cni::{Code, Fault};
use docker::DaemonFile;
use network::{Cache, FileError, Folder, FolderError, List, ListError};
use vocab::NetworkName;

use crate::builtin::{self, BuiltInError, Sources};
use crate::design::Known;
use crate::facts::HostFacts;
use crate::id::NetworkId;
use crate::pool;
use crate::taken::{By, Taken};
use crate::view::View;

/// How alike two names must be (0 to 1, Jaro) for one to be suggested for the other.
const ALIKE: f64 = 0.7;

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder of conflists.
    pub folder: Folder,
    /// What is kept of attachments.
    pub cache: Cache,
    /// The file that describes the network `bridge`.
    pub daemon: PathBuf,
    /// Whether that file was named by somebody, and so must be there.
    pub daemon_is_named: bool,
    /// For locks; what is in it dies with the boot.
    pub run_dir: PathBuf,
    /// The host's name servers.
    pub resolv_conf: PathBuf,
}

impl Places {
    /// Where the daemon's file is by default.
    pub const DAEMON_FILE: &'static str = "/etc/netctl/daemon.json";
    /// Where the host's name servers are.
    pub const RESOLV_CONF: &'static str = "/etc/resolv.conf";
}

/// Where a network comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is there on every host.
    BuiltIn,
    /// A file describes it.
    File(PathBuf),
}

/// A network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its configuration.
    pub list: List,
    /// Where that comes from.
    pub origin: Origin,
    /// What it says.
    pub view: View,
    /// The network's id.
    pub id: NetworkId,
    /// Whether daemon.json says something else by now, which has to wait until its containers are gone.
    pub is_outdated: bool,
}

impl Network {
    fn new(list: List, origin: Origin) -> Self {
        let (view, id) = (View::of(&list), NetworkId::of(list.name()));
        Self { list, origin, view, id, is_outdated: false }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &NetworkName {
        self.list.name()
    }

    /// The file that describes it.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::BuiltIn => None,
            Origin::File(file) => Some(file),
        }
    }

    /// Whether it is there on every host.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == Origin::BuiltIn
    }

    fn known(&self) -> Known {
        let is_bridge = self.view.driver == "bridge";
        Known {
            name: self.name().clone(),
            bridge: self.view.link.clone().filter(|_| is_bridge),
            subnets: self.view.subnets.iter().map(|subnet| subnet.subnet).collect(),
        }
    }

    fn taken(&self) -> impl Iterator<Item = Taken> {
        let by = By::Network(self.name().clone());
        self.view.subnets.iter().map(move |subnet| Taken { network: subnet.subnet, by: by.clone() })
    }
}

/// Why networks are not found.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The host cannot be looked at.
    #[error("look at the host's links and routes")]
    Host(#[from] netlink::Error),
    /// There is no network of that name.
    #[error("network {name:?} not found")]
    NotFound {
        /// What was looked for.
        name: String,
        /// The network that was meant, perhaps.
        nearest: Option<NetworkName>,
        /// Files that could not be used: it may be in one of them.
        broken: Vec<FileError>,
    },
    /// Several ids begin so.
    #[error("{prefix:?} begins the ids of several networks: {}", names(networks))]
    Ambiguous {
        /// The beginning of an id.
        prefix: String,
        /// The networks.
        networks: Vec<NetworkName>,
    },
    /// The network `bridge` cannot be described.
    #[error("describe network bridge")]
    BuiltIn(#[from] BuiltInError),
    /// daemon.json wants no network `bridge`.
    #[error("there is no network bridge: {} says \"bridge\": \"none\"", file.display())]
    NoBridge {
        /// The file.
        file: PathBuf,
    },
    /// A constant is wrong.
    #[error(transparent)]
    List(#[from] ListError),
}

fn names(networks: &[NetworkName]) -> String {
    networks.iter().map(NetworkName::as_str).collect::<Vec<_>>().join(", ")
}

impl CatalogError {
    /// Whether there is no such network for sure: it is in none of the files that could not be used either.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        let Self::NotFound { name, broken, .. } = self else { return false };
        let may_have_it = |error: &FileError| {
            is_unread(error) || error.file().file_name().is_some_and(|file| *file == *file_name_of(name))
        };
        !broken.iter().any(may_have_it)
    }
}

impl Fault for CatalogError {
    fn code(&self) -> Code {
        match self {
            Self::Folder(error) => error.code(),
            Self::Host(error) => link::code_of(error),
            Self::BuiltIn(error) => error.code(),
            Self::List(error) => error.code(),
            Self::NotFound { .. } | Self::Ambiguous { .. } | Self::NoBridge { .. } => Code::INVALID_CONFIG,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Folder(error) => error.hint(),
            Self::BuiltIn(error) => error.hint(),
            Self::NotFound { nearest: Some(nearest), .. } => Some(format!("did you mean {nearest}?")),
            Self::NotFound { broken, .. } if !broken.is_empty() => {
                let files = broken.iter().map(|error| error.file().display().to_string());
                Some(format!("these files cannot be used: {}", files.collect::<Vec<_>>().join(", ")))
            }
            Self::NotFound { .. } => Some("`netctl ls` shows which there are".to_owned()),
            Self::Ambiguous { .. } => Some("give more digits, or the name".to_owned()),
            Self::Host(_) | Self::NoBridge { .. } | Self::List(_) => None,
        }
    }
}

/// Every network, and what cannot be told.
#[derive(Debug, Default)]
pub struct Listing {
    /// The networks, by name.
    pub networks: Vec<Network>,
    /// Files that cannot be used.
    pub broken: Vec<FileError>,
    /// Why there is no network `bridge`, if that is not as it should be.
    pub without_bridge: Option<BuiltInError>,
}

/// The networks of a host.
#[derive(Debug, Clone)]
pub struct Catalog {
    places: Places,
}

impl Catalog {
    /// The networks that are found in `places`.
    #[must_use]
    pub const fn new(places: Places) -> Self {
        Self { places }
    }

    /// Where everything is.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Every network. A file that has the name of one of the three that are always there stands for it.
    ///
    /// # Errors
    /// [`CatalogError::Folder`], [`CatalogError::Host`].
    pub fn list(&self) -> Result<Listing, CatalogError> {
        self.completed(self.files()?)
    }

    /// The networks of files, and those that are always there.
    fn completed(&self, mut listing: Listing) -> Result<Listing, CatalogError> {
        let has = |listing: &Listing, name: &str| {
            listing.networks.iter().any(|network| network.name().as_str() == name)
        };
        if !has(&listing, builtin::BRIDGE) {
            match self.bridge(&listing.networks) {
                Ok(bridge) => listing.networks.extend(bridge),
                Err(CatalogError::BuiltIn(error)) => listing.without_bridge = Some(error),
                Err(error) => return Err(error),
            }
        }
        for (name, list) in [(builtin::HOST, builtin::host()?), (builtin::NONE, builtin::none()?)] {
            if !has(&listing, name) {
                listing.networks.push(Network::new(list, Origin::BuiltIn));
            }
        }
        listing.networks.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(listing)
    }

    /// The network of that name, or the one whose id begins so.
    ///
    /// # Errors
    /// [`CatalogError`], with the name that was meant, perhaps.
    pub fn find(&self, wanted: &str) -> Result<Network, CatalogError> {
        let mut listing = self.files()?;
        let is_wanted = |network: &Network| network.name().as_str() == wanted;
        if let Some(at) = listing.networks.iter().position(is_wanted) {
            return Ok(listing.networks.swap_remove(at));
        }
        match wanted {
            // One that could not be read may stand for it.
            builtin::BRIDGE | builtin::HOST | builtin::NONE if listing.broken.iter().any(is_unread) => {}
            builtin::BRIDGE => {
                let bridge = self.bridge(&listing.networks)?;
                return bridge.ok_or_else(|| CatalogError::NoBridge { file: self.places.daemon.clone() });
            }
            builtin::HOST => return Ok(Network::new(builtin::host()?, Origin::BuiltIn)),
            builtin::NONE => return Ok(Network::new(builtin::none()?, Origin::BuiltIn)),
            _ => {}
        }
        let listing = self.completed(listing)?;
        let beginning = |network: &&Network| network.id.begins_with(wanted);
        let found: Vec<&Network> = listing.networks.iter().filter(beginning).collect();
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => {
                let nearest = nearest(wanted, listing.networks.iter().map(Network::name));
                Err(CatalogError::NotFound { name: wanted.to_owned(), nearest, broken: listing.broken })
            }
            several => Err(CatalogError::Ambiguous {
                prefix: wanted.to_owned(),
                networks: several.iter().map(|network| network.name().clone()).collect(),
            }),
        }
    }

    /// What daemon.json says.
    ///
    /// # Errors
    /// [`docker::Error`], also when a file is not there that somebody named.
    pub fn daemon(&self) -> Result<DaemonFile, docker::Error> {
        let file = &self.places.daemon;
        match self.places.daemon_is_named {
            true => DaemonFile::read(file),
            false => Ok(DaemonFile::find(file)?.unwrap_or_default()),
        }
    }

    /// The facts of the host.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn facts(&self) -> Result<HostFacts, netlink::Error> {
        HostFacts::read(&self.places.resolv_conf)
    }

    /// What a new network goes by: the networks that are there, as far as they can be read, and the pools.
    pub(crate) fn known(listing: &Listing) -> Vec<Known> {
        listing.networks.iter().map(Network::known).collect()
    }

    pub(crate) fn machine_id() -> String {
        fs::read_to_string(pool::MACHINE_ID).unwrap_or_default()
    }

    /// The networks that files describe; of two with one name the first counts, as with every runtime.
    fn files(&self) -> Result<Listing, CatalogError> {
        let mut listing = Listing::default();
        for file in self.places.folder.files()? {
            match List::from_file(&file) {
                Ok(list) if listing.networks.iter().any(|network| network.name() == list.name()) => {}
                Ok(list) => listing.networks.push(Network::new(list, Origin::File(file))),
                Err(error) => listing.broken.push(error),
            }
        }
        Ok(listing)
    }

    /// The network `bridge`. While containers are on it, it stays as it was when they came: daemon.json may have
    /// changed since, and they have the old addresses.
    fn bridge(&self, others: &[Network]) -> Result<Option<Network>, CatalogError> {
        let fresh = self.fresh_bridge(others);
        let Some(kept) = self.kept_bridge() else { return fresh };
        let is_outdated = match &fresh {
            Ok(Some(fresh)) => fresh.list.bytes() != kept.list.bytes(),
            Ok(None) | Err(_) => true,
        };
        Ok(Some(Network { is_outdated, ..kept }))
    }

    fn fresh_bridge(&self, others: &[Network]) -> Result<Option<Network>, CatalogError> {
        let daemon = self.daemon().map_err(BuiltInError::from)?;
        let facts = self.facts()?;
        let taken: Vec<Taken> = others.iter().flat_map(Network::taken).collect();
        let machine_id = Self::machine_id();
        let list = builtin::bridge(Sources {
            daemon: &daemon,
            file: &self.places.daemon,
            facts: &facts,
            others: &taken,
            machine_id: &machine_id,
        })?;
        Ok(list.map(|list| Network::new(list, Origin::BuiltIn)))
    }

    /// The network as the first of its containers that stand knows it.
    fn kept_bridge(&self) -> Option<Network> {
        let name = NetworkName::new(builtin::BRIDGE).ok()?;
        // A cache that cannot be read knows of no containers; joining and leaving tell of it.
        let entries = self.places.cache.of_network(&name).unwrap_or_default();
        let standing = entries.into_iter().filter(|entry| entry.stands().unwrap_or(true));
        let list = standing.filter_map(|entry| List::parse(entry.config).ok()).next()?;
        Some(Network::new(list, Origin::BuiltIn))
    }
}

/// Whether nobody knows what is in a file that is there.
fn is_unread(error: &FileError) -> bool {
    matches!(error, FileError::Read { source, .. } if source.kind() != ErrorKind::NotFound)
}

/// The file of a network that is made here. It sorts behind those of others: containerd and CRI-O take the first file
/// for every pod, and a new network must not change what that is.
pub(crate) fn file_of(folder: &Path, name: &NetworkName) -> PathBuf {
    folder.join(file_name_of(name.as_str()))
}

fn file_name_of(name: &str) -> String {
    format!("netctl-{name}.conflist")
}

/// The name that was meant, perhaps.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a NetworkName>) -> Option<NetworkName> {
    let likeness = |name: &NetworkName| strsim::jaro(wanted, name.as_str());
    let alike = names.map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > ALIKE);
    alike.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name.clone())
}
