//! One call of a plugin: what was asked, parsed.

use std::path::PathBuf;
use std::rc::Rc;

use vocab::Attachment;

use crate::{Config, Environment, Registry};

/// What every verb is given.
#[derive(Clone)]
pub struct Call {
    /// The configuration.
    pub config: Rc<Config>,
    /// The variables, for delegates and `CNI_ARGS`.
    pub environment: Rc<Environment>,
    /// The plugins that may be called in process.
    pub registry: Registry,
}

impl Call {
    /// Puts a call together.
    #[must_use]
    pub fn new(config: Config, environment: Environment, registry: Registry) -> Self {
        Self { config: Rc::new(config), environment: Rc::new(environment), registry }
    }
}

/// ADD: attach a container to the network.
pub struct AddCall {
    /// The call itself.
    pub call: Call,
    /// The container and its interface.
    pub attachment: Attachment,
    /// The path to the container's namespace. It is opened, never judged by its name: `/proc/76/fd/9` is one.
    pub netns: PathBuf,
}

/// CHECK: find out whether an attachment is still as ADD made it.
pub struct CheckCall {
    /// The call itself.
    pub call: Call,
    /// The container and its interface.
    pub attachment: Attachment,
    /// The path to the container's namespace.
    pub netns: PathBuf,
}

/// DEL: take an attachment away, whatever is left of it.
pub struct DelCall {
    /// The call itself.
    pub call: Call,
    /// The container and its interface.
    pub attachment: Attachment,
    /// The path to the container's namespace, if the runtime still knows one.
    pub netns: Option<PathBuf>,
}

/// STATUS: find out whether an ADD could be served.
pub struct StatusCall {
    /// The call itself.
    pub call: Call,
}
