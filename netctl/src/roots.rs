//! Where networks, plugins, results and namespaces are: the options that move them.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::{Args, ValueHint};
use cni::{Environment, InProcess, Registry, SearchPath};
use network::{Cache, Folder, Locks, Runtime};

/// Where plugins that netctl does not have itself are looked for: where runtimes have them, then where
/// Debian puts them.
const PLUGINS_OF_OTHERS: &str = "/opt/cni/bin:/usr/lib/cni";

#[derive(Debug, Args)]
pub(crate) struct Roots {
    /// Execute the plugins in these directories instead of netctl's own
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        value_delimiter = ':',
        value_hint = ValueHint::DirPath,
        env = "CNI_PATH",
        hide_env_values = true,
        help_heading = "Places"
    )]
    plugin_dir: Vec<OsString>,
    /// Find networks in this directory [default: /etc/cni/net.d]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "NETCONFPATH",
        hide_env_values = true,
        help_heading = "Places"
    )]
    #[arg(value_hint = ValueHint::DirPath)]
    conf_dir: Option<OsString>,
    #[command(flatten)]
    kept: KeptResults,
}

// Where containers and images are.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct StateDir {
    /// Keep containers and images below this directory [default: /var/lib/netctl]
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        env = "NETCTL_STATE_DIR",
        hide_env_values = true,
        help_heading = "Places"
    )]
    state_dir: Option<OsString>,
}

impl StateDir {
    pub(crate) fn path(&self) -> &Path {
        given(&self.state_dir).unwrap_or(Path::new(runner::Places::STATE_DIR))
    }
}

/// Where results of ADD are kept until DEL.
#[derive(Debug, Args)]
pub(crate) struct KeptResults {
    /// Keep results below this directory [default: /var/lib/cni]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "NETCTL_CNI_CACHE_DIR",
        hide_env_values = true,
        help_heading = "Places"
    )]
    #[arg(value_hint = ValueHint::DirPath)]
    cache_dir: Option<OsString>,
}

impl KeptResults {
    fn cache(&self) -> Cache {
        Cache::new(given(&self.cache_dir).unwrap_or(Path::new(Cache::SYSTEM)))
    }

    /// What runs netctl's own plugins, in process, on what is kept there.
    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime_of(InProcess::Listed, PLUGINS_OF_OTHERS.into())
    }

    fn runtime_of(&self, in_process: InProcess, path: OsString) -> Runtime {
        Runtime {
            registry: Registry::new(netctl::PLUGINS, in_process),
            path: SearchPath::new(path),
            cache: self.cache(),
            locks: Locks::new(cni::run_dir()),
            netns_override: Environment::of_process().netns_override,
        }
    }
}

/// The value of an option; an empty variable of the environment is none.
pub(crate) fn given(value: &Option<OsString>) -> Option<&Path> {
    value.as_deref().filter(|path| !path.is_empty()).map(Path::new)
}

impl Roots {
    /// By which another process of this program finds everything where this one does.
    pub(crate) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let folders: Vec<&OsStr> = self.plugin_dir.iter().map(OsString::as_os_str).collect();
        let of = |name, path: Option<&Path>| path.map(|path| (name, path.as_os_str().to_owned()));
        let mut environment = vec![("CNI_PATH", folders.join(OsStr::new(":")))];
        environment.extend(of("NETCONFPATH", given(&self.conf_dir)));
        environment.extend(of("NETCTL_CNI_CACHE_DIR", given(&self.kept.cache_dir)));
        environment
    }

    /// What is kept, whoever's plugins made it.
    pub(crate) const fn kept(&self) -> &KeptResults {
        &self.kept
    }

    /// Where results of ADD are kept.
    pub(crate) fn cache(&self) -> Cache {
        self.kept.cache()
    }

    /// The folder of networks.
    pub(crate) fn folder(&self) -> Folder {
        Folder::new(given(&self.conf_dir).unwrap_or(Path::new(Folder::SYSTEM)))
    }

    /// What runs the plugins.
    pub(crate) fn runtime(&self) -> Runtime {
        let folders: Vec<&OsStr> =
            self.plugin_dir.iter().map(OsString::as_os_str).filter(|folder| !folder.is_empty()).collect();
        match folders.is_empty() {
            true => self.kept.runtime(),
            false => self.kept.runtime_of(InProcess::Never, folders.join(OsStr::new(":"))),
        }
    }
}
