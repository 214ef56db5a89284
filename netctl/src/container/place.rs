//! Where containers, images and networks are, as the command line has it.

use std::ffi::OsString;

use catalog::{Catalog, Network};
use clap::{Args, Command, FromArgMatches};
use runner::networks::Names;
use runner::{Container, Engine, Places, Store};

use crate::network::place::Place as Networks;
use crate::report::Failure;
use crate::roots::StateDir;

#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Place {
    #[command(flatten)]
    state_dir: StateDir,
    #[command(flatten)]
    networks: Networks,
}

impl Place {
    /// As the environment alone has it.
    pub(super) fn of_environment() -> Result<Self, clap::Error> {
        let matches = Self::augment_args(Command::new("places")).try_get_matches_from(["places"])?;
        Self::from_arg_matches(&matches)
    }

    fn places(&self) -> Places {
        let state_dir = self.state_dir.path().to_owned();
        Places { state_dir, run_dir: cni::run_dir() }
    }

    /// The containers alone.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.places())
    }

    /// The images.
    pub(crate) fn images(&self) -> Result<images::Store, Failure> {
        images::Store::open(self.places().state_dir)
            .map_err(|error| Failure::with(error, images::Error::hint))
    }

    /// The images, if there have ever been any.
    pub(crate) fn images_if_there(&self) -> Option<images::Store> {
        let state_dir = self.places().state_dir;
        state_dir.join("images").is_dir().then(|| images::Store::open(state_dir).ok()).flatten()
    }

    /// The network of that name or id.
    pub(crate) fn network(&self, catalog: &Catalog, wanted: &str) -> Result<Network, Failure> {
        self.networks.find(catalog, wanted)
    }

    /// Everything.
    pub(crate) fn engine(&self) -> Engine {
        let catalog = self.networks.catalog();
        let resolv_conf = catalog.places().resolv_conf.clone();
        Engine {
            store: self.store(),
            catalog,
            runtime: self.networks.roots.runtime(),
            names: Names { hosts: "/etc/hosts".into(), resolv_conf },
        }
    }

    /// The container of that name or id.
    pub(crate) fn find(&self, wanted: &str) -> Result<Container, Failure> {
        find(&self.store(), wanted)
    }

    /// By which a monitor finds everything where this process did.
    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let places = self.places();
        let mut environment = vec![("NETCTL_STATE_DIR", places.state_dir.into_os_string())];
        environment.extend(self.networks.environment());
        environment
    }
}

/// The container of that name or id, with the way out if there is none.
pub(super) fn find(store: &Store, wanted: &str) -> Result<Container, Failure> {
    store.find(wanted).map_err(|error| Failure::with(error, runner::FindError::hint))
}
