//! A host with plugins and containers: where a test takes place.

use crate::call::Call;
use crate::folder::{self, PluginFolder};
use lab::host::{self, Host};
use lab::outcome::Unexpected;
use lab::{Namespace, Place};
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;

/// A host with plugins in a folder.
#[derive(Debug)]
pub struct Stage {
    host: Host,
    plugins: PluginFolder,
}

/// A stage could not be set up.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Host(#[from] host::Error),
    #[error(transparent)]
    Folder(#[from] folder::Error),
}

impl Stage {
    /// A host with all our plugins.
    ///
    /// # Errors
    /// The host cannot be made, or our programs have not been built.
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::with(name, PluginFolder::ours()?)
    }

    /// A host with these plugins.
    ///
    /// # Errors
    /// The host cannot be made.
    pub fn with(name: &str, plugins: PluginFolder) -> Result<Self, Error> {
        Ok(Self::of(Host::new(name)?, plugins))
    }

    /// These plugins on a host that was made otherwise.
    #[must_use]
    pub const fn of(host: Host, plugins: PluginFolder) -> Self {
        Self { host, plugins }
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The plugins.
    #[must_use]
    pub const fn plugins(&self) -> &PluginFolder {
        &self.plugins
    }

    /// Makes a container: a namespace, and an id of the same name.
    ///
    /// # Errors
    /// As `ip netns add` tells.
    #[track_caller]
    pub fn container(&self, name: &str) -> Result<Container, Unexpected> {
        Ok(Container { namespace: Namespace::create(&self.host, name)? })
    }

    /// Makes `count` containers, called `prefix` and a number from 0.
    ///
    /// # Errors
    /// As `ip netns add` tells.
    #[track_caller]
    pub fn containers(&self, prefix: &str, count: usize) -> Result<Vec<Container>, Unexpected> {
        let namespaces = Namespace::create_many(&self.host, prefix, count)?;
        Ok(namespaces.into_iter().map(|namespace| Container { namespace }).collect())
    }

    /// A call of a plugin with this configuration, to be completed.
    #[must_use]
    pub fn call(&self, plugin: &str, config: &Value) -> Call<'_> {
        Call::new(self, plugin, config)
    }
}

/// A container: a namespace, and an id of the same name.
#[derive(Clone, Debug)]
pub struct Container {
    namespace: Namespace,
}

impl Container {
    /// The id, and the name of the namespace.
    #[must_use]
    pub fn id(&self) -> &str {
        self.namespace.name()
    }

    /// The path of the namespace, as programs of the host know it.
    #[must_use]
    pub fn path(&self) -> String {
        self.namespace.path()
    }

    /// Removes the namespace, as a crash of the container would.
    ///
    /// # Errors
    /// As `ip netns delete` tells.
    #[track_caller]
    pub fn vanish(&self, stage: &Stage) -> Result<(), Unexpected> {
        self.namespace.clone().remove(stage.host())
    }
}

impl Place for Container {
    fn entrance(&self) -> Vec<OsString> {
        self.namespace.entrance()
    }

    fn root(&self) -> PathBuf {
        self.namespace.root()
    }
}
