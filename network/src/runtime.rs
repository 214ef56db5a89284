//! The chain of plugins: a file a verb.

mod add;
mod check;
mod del;
mod error;
mod forget;
mod gc;
mod raise;
mod reload;
mod request;
mod retire;
mod speak;
mod status;

use std::ffi::OsString;

use cni::{Call, ConfigError, Delegate, Environment, Registry, SearchPath};

pub(crate) use self::error::in_full;
pub use self::error::{Doing, Error, Errors, Reason};
pub use self::reload::{Attached, Fate};
pub use self::request::Request;
pub use self::speak::{Place, Speaker};
use crate::list::Injected;
use crate::{Cache, List, Locks, PluginConfig};

/// What a runtime has: the plugins that it may call, and where it keeps what it knows.
#[derive(Clone)]
pub struct Runtime {
    /// The plugins that may be called in process.
    pub registry: Registry,
    /// Where executables of plugins are looked for.
    pub path: SearchPath,
    /// What is kept between ADD and DEL.
    pub cache: Cache,
    /// What keeps GC apart from the other verbs.
    pub locks: Locks,
    /// Whether the container's namespace may be the runtime's own (`CNI_NETNS_OVERRIDE`).
    pub netns_override: bool,
}

impl Runtime {
    /// The variables of a call; of one that concerns no attachment without a `request`.
    fn environment(&self, request: Option<&Request>) -> Environment {
        let about_nothing = Environment {
            path: self.path.clone(),
            netns_override: self.netns_override,
            ..Environment::default()
        };
        let Some(request) = request else { return about_nothing };
        Environment {
            container: request.attachment.container.to_string(),
            interface: request.attachment.interface.to_string(),
            netns: request.netns.clone().map(OsString::from).unwrap_or_default(),
            args: request.args.to_string(),
            ..about_nothing
        }
    }

    /// One plugin of a list, ready to be called.
    fn delegate(
        &self,
        list: &List,
        plugin: &PluginConfig,
        injected: Injected<'_>,
        request: Option<&Request>,
    ) -> Result<Delegate, Reason> {
        Ok(self.call(list, plugin, injected, request)?.delegate(plugin.kind())?)
    }

    fn call(
        &self,
        list: &List,
        plugin: &PluginConfig,
        injected: Injected<'_>,
        request: Option<&Request>,
    ) -> Result<Call, ConfigError> {
        let config = plugin.config(list, injected)?;
        Ok(Call::new(config, self.environment(request), self.registry))
    }
}
