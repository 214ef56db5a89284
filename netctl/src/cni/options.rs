//! What all verbs share: where networks, plugins and results are.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Args, ValueHint};
use cni::{Environment, InProcess, Registry, SearchPath};
use network::{Cache, Folder, FolderError, List, Locks, Runtime};

use super::trouble::Trouble;

/// Where plugins that netctl does not have itself are looked for: where runtimes have them, then where
/// Debian puts them.
const PLUGINS_OF_OTHERS: &str = "/opt/cni/bin:/usr/lib/cni";

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Execute the plugins in these directories instead of netctl's own
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        value_delimiter = ':',
        value_hint = ValueHint::DirPath,
        env = "CNI_PATH",
        hide_env_values = true
    )]
    plugin_dir: Vec<OsString>,
    /// Find networks in this directory [default: /etc/cni/net.d]
    #[arg(long, global = true, value_name = "DIR", env = "NETCONFPATH", hide_env_values = true)]
    #[arg(value_hint = ValueHint::DirPath)]
    conf_dir: Option<OsString>,
    #[command(flatten)]
    kept: KeptResults,
}

/// Where results of ADD are kept until DEL.
#[derive(Debug, Args)]
pub(crate) struct KeptResults {
    /// Keep results below this directory [default: /var/lib/cni]
    #[arg(long, global = true, value_name = "DIR", env = "NETCTL_CNI_CACHE_DIR", hide_env_values = true)]
    #[arg(value_hint = ValueHint::DirPath)]
    cache_dir: Option<OsString>,
}

impl KeptResults {
    /// What runs netctl's own plugins, in process, on what is kept there.
    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime_of(InProcess::Listed, PLUGINS_OF_OTHERS.into())
    }

    fn runtime_of(&self, in_process: InProcess, path: OsString) -> Runtime {
        Runtime {
            registry: Registry::new(netctl::PLUGINS, in_process),
            path: SearchPath::new(path),
            cache: Cache::new(given(&self.cache_dir).unwrap_or(Path::new(Cache::SYSTEM))),
            locks: Locks::new(cni::run_dir()),
            netns_override: Environment::of_process().netns_override,
        }
    }
}

/// The network that a verb is for.
#[derive(Debug, Args)]
pub(super) struct NetworkArg {
    /// The name of the network, or the path of its file
    #[arg(value_name = "NETWORK")]
    network: OsString,
}

/// The value of an option; an empty variable of the environment is none.
pub(super) fn given(value: &Option<OsString>) -> Option<&Path> {
    value.as_deref().filter(|path| !path.is_empty()).map(Path::new)
}

impl Options {
    /// The folder of networks.
    pub(super) fn folder(&self) -> Folder {
        Folder::new(given(&self.conf_dir).unwrap_or(Path::new(Folder::SYSTEM)))
    }

    /// What runs the plugins.
    pub(super) fn runtime(&self) -> Runtime {
        let folders: Vec<&OsStr> =
            self.plugin_dir.iter().map(OsString::as_os_str).filter(|folder| !folder.is_empty()).collect();
        match folders.is_empty() {
            true => self.kept.runtime(),
            false => self.kept.runtime_of(InProcess::Never, folders.join(OsStr::new(":"))),
        }
    }
}

impl NetworkArg {
    /// The network: a path has a slash, and no name has.
    pub(super) fn find(&self, options: &Options) -> Result<List, Trouble> {
        match self.as_path() {
            Some(file) => Ok(List::from_file(file)?),
            None => Ok(self.find_by_name(&options.folder())?),
        }
    }

    pub(super) fn find_by_name(&self, folder: &Folder) -> Result<List, FolderError> {
        folder.find(&self.name())
    }

    /// The network as a path, if it is one.
    pub(super) fn as_path(&self) -> Option<&Path> {
        self.network.as_encoded_bytes().contains(&b'/').then(|| Path::new(&self.network))
    }

    /// The network as a name. What is not UTF-8 gets a replacement character, which no name has.
    pub(super) fn name(&self) -> String {
        self.network.to_string_lossy().into_owned()
    }
}
