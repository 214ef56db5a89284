//! Where the catalog and its surroundings are, as the command line has it.

use std::ffi::OsString;
use std::path::Path;

use catalog::{Catalog, Network, Places, Sandbox, TargetError, Whereabouts};
use clap::Args;
use cni::Fault;
use netns::Directory;
use network::{Entry, FileError};

use super::words;
use crate::report::{self, Failure};
use crate::roots::{Roots, given};

#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) roots: Roots,
    /// Read what network bridge is like, and the address pools, from this file [default: /etc/netctl/daemon.json]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "NETCTL_CONFIG",
        hide_env_values = true,
        help_heading = "Places"
    )]
    config: Option<OsString>,
}

impl Place {
    pub(crate) fn catalog(&self) -> Catalog {
        let named = given(&self.config);
        Catalog::new(Places {
            folder: self.roots.folder(),
            cache: self.roots.cache(),
            daemon: named.unwrap_or(Path::new(Places::DAEMON_FILE)).to_owned(),
            daemon_is_named: named.is_some(),
            run_dir: cni::run_dir(),
            resolv_conf: Places::RESOLV_CONF.into(),
        })
    }

    /// By which another process of this program finds everything where this one does.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut environment = self.roots.environment();
        environment.extend(given(&self.config).map(|path| ("NETCTL_CONFIG", path.as_os_str().to_owned())));
        environment
    }

    /// The network of that name or id.
    pub(crate) fn find(&self, catalog: &Catalog, wanted: &str) -> Result<Network, Failure> {
        let network = catalog.find(wanted).map_err(Failure::of)?;
        if network.is_built_in() && network.view.driver == "bridge" {
            words::tell_of_ignored_keys(catalog);
            words::tell_of_outdated(catalog, &network);
        }
        Ok(network)
    }
}

/// Where names of namespaces are.
#[derive(Debug, Args)]
pub(crate) struct NamespaceOption {
    /// Find the names of namespaces in this directory [default: /run/netns]
    #[arg(long, value_name = "DIR", env = "NETNS_RUN_DIR", hide_env_values = true, help_heading = "Places")]
    netns_dir: Option<OsString>,
}

impl NamespaceOption {
    /// Whom `text` means.
    pub(crate) fn find(&self, text: &str, entries: &[Entry]) -> Result<Sandbox, TargetError> {
        let directory = given(&self.netns_dir).map_or_else(Directory::default, Directory::new);
        Whereabouts { directory: &directory, entries }.find(text)
    }
}

/// Tells of files that are no networks; the others are listed all the same.
pub(crate) fn tell_of_broken(broken: &[FileError]) {
    for error in broken {
        report::warning(error, error.hint().as_deref());
    }
}
