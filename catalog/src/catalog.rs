//! The networks of a host, by name.

mod error;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use docker::DaemonFile;
use netlink::{LinkName, RouteSocket};
use network::{Cache, Entry, FileError, Folder, List};
use vocab::NetworkName;

pub use self::error::CatalogError;

use crate::builtin::{self, BuiltInError, Sources};
use crate::design::Known;
use crate::facts::HostFacts;
use crate::id::NetworkId;
use crate::nearest::nearest;
use crate::pool;
use crate::taken::{By, Taken};
use crate::view::View;

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
    /// Its file is gone, and attachments to it are not: what ADD was told of it is kept with them.
    Kept,
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
    pub(crate) fn new(list: List, origin: Origin) -> Self {
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
            Origin::BuiltIn | Origin::Kept => None,
            Origin::File(file) => Some(file),
        }
    }

    /// Whether it is there on every host.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.origin == Origin::BuiltIn
    }

    /// The host's own addresses on it, by which its containers reach the host: not always those of their router. There are
    /// none before the first container has joined, and none where the host has no link of its own on the network. Nothing
    /// when only a driver of others could tell.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn host_addresses(&self) -> Result<Option<Vec<IpAddr>>, netlink::Error> {
        let bridge = match (self.view.driver.as_str(), &self.view.link) {
            ("bridge", Some(bridge)) => bridge,
            ("macvlan" | "ipvlan", _) => return Ok(Some(Vec::new())),
            _ => return Ok(None),
        };
        let mut socket = RouteSocket::open()?;
        let Some(link) = socket.find_link(LinkName::Name(bridge))? else { return Ok(Some(Vec::new())) };
        Ok(Some(socket.addresses_of(link.index)?.iter().map(|address| address.network.ip()).collect()))
    }

    /// What the makers of other networks must know of it.
    pub(crate) fn known(&self) -> Known {
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

    /// The network of that name, or the one whose id begins so. One whose file somebody removed is found as long as
    /// attachments to it are kept, so that they can be taken away.
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
            builtin::BRIDGE | builtin::HOST | builtin::NONE
                if listing.broken.iter().any(error::is_unread) => {}
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
                // Its file may be there, only not to be read.
                let has_file = listing.broken.iter().any(error::is_unread);
                if let Some(kept) = self.kept(wanted, Origin::Kept, |_| true).filter(|_| !has_file) {
                    return Ok(kept);
                }
                let nearest = nearest(wanted, listing.networks.iter().map(Network::name)).cloned();
                Err(CatalogError::NotFound { name: wanted.to_owned(), nearest, broken: listing.broken })
            }
            several => Err(CatalogError::Ambiguous {
                prefix: wanted.to_owned(),
                networks: several.iter().map(|network| network.name().clone()).collect(),
            }),
        }
    }

    /// As [`Catalog::find`], for who joins now: network `bridge` is taken as those have it who are on it, without asking
    /// what daemon.json would make of it by now.
    ///
    /// # Errors
    /// [`CatalogError`].
    pub fn find_to_join(&self, wanted: &str) -> Result<Network, CatalogError> {
        if wanted == builtin::BRIDGE {
            let listing = self.files()?;
            let is_free = listing.networks.iter().all(|network| network.name().as_str() != wanted)
                && !listing.broken.iter().any(error::is_unread);
            let is_standing = |entry: &Entry| entry.stands().unwrap_or(true);
            if let Some(kept) = self.kept(wanted, Origin::BuiltIn, is_standing).filter(|_| is_free) {
                return Ok(kept);
            }
        }
        self.find(wanted)
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

    /// The networks that files describe; of two with one name the first counts, as with every runtime.
    fn files(&self) -> Result<Listing, CatalogError> {
        let mut listing = Listing::default();
        for file in self.places.folder.files()? {
            match List::from_file(&file) {
                Ok(list) if listing.networks.iter().any(|network| network.name() == list.name()) => {}
                Ok(list) => listing.networks.push(Network::new(list, Origin::File(file))),
                Err(error) if error.is_gone() => {}
                Err(error) => listing.broken.push(error),
            }
        }
        Ok(listing)
    }

    /// The network `bridge`. While containers are on it, it stays as it was when they came: daemon.json may have
    /// changed since, and they have the old addresses.
    fn bridge(&self, others: &[Network]) -> Result<Option<Network>, CatalogError> {
        let fresh = self.fresh_bridge(others);
        let is_standing = |entry: &Entry| entry.stands().unwrap_or(true);
        let kept = self.kept(builtin::BRIDGE, Origin::BuiltIn, is_standing);
        let Some(kept) = kept else { return fresh };
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
        let machine_id = pool::machine_id();
        let list = builtin::bridge(Sources {
            daemon: &daemon,
            file: &self.places.daemon,
            facts: &facts,
            others: &taken,
            machine_id: &machine_id,
        })?;
        Ok(list.map(|list| Network::new(list, Origin::BuiltIn)))
    }

    /// Whether a file describes that network, as far as all can be read.
    pub(crate) fn has_file(&self, name: &NetworkName) -> Result<bool, CatalogError> {
        let listing = self.files()?;
        let has = listing.networks.iter().any(|network| network.name() == name);
        Ok(has || listing.broken.iter().any(error::is_unread))
    }

    /// The network as the first of its attachments that are meant knows it.
    fn kept(&self, name: &str, origin: Origin, is_meant: impl Fn(&Entry) -> bool) -> Option<Network> {
        let name = NetworkName::new(name).ok()?;
        // A cache that cannot be read knows of no containers; joining and leaving tell of it.
        let is_of_use = |entry: &Entry| is_meant(entry) && List::parse(entry.config.clone()).is_ok();
        let entry = self.places.cache.first_of_network(&name, is_of_use).unwrap_or_default()?;
        let list = List::parse(entry.config).ok()?;
        Some(Network::new(list, origin))
    }
}

/// The file of a network that is made here. It sorts behind those of others: containerd and CRI-O take the first file
/// for every pod, and a new network must not change what that is.
pub(crate) fn file_of(folder: &Path, name: &NetworkName) -> PathBuf {
    folder.join(file_name_of(name.as_str()))
}

fn file_name_of(name: &str) -> String {
    format!("netctl-{name}.conflist")
}
