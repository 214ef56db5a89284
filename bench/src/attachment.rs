//! A container on a network, by the plugins of one side.

use crate::container::Container;
use crate::network::Network;
use crate::plugin::{self, Call, Prepared};
use crate::side::Side;
use serde_json::Value;
use std::time::Duration;

/// A container on a network, by the plugins of one side.
#[derive(Clone, Copy, Debug)]
pub struct Attachment<'a> {
    /// Who does it.
    pub side: &'a Side,
    /// Where to.
    pub network: &'a Network,
    /// Who gets it.
    pub container: &'a Container,
}

/// A verb failed, or its answer makes no sense.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error(transparent)]
    Plugin(#[from] plugin::Error),
    #[error("understand the result of ADD: {said}")]
    Result { said: String, source: serde_json::Error },
}

impl Attachment<'_> {
    /// The call of a verb; with the result of ADD for the verbs that follow it.
    #[must_use]
    pub fn call(&self, verb: &str, previous: Option<&Value>) -> Call {
        Call {
            program: self.side.plugin("bridge"),
            arguments: Vec::new(),
            environment: vec![
                ("CNI_COMMAND", verb.into()),
                ("CNI_CONTAINERID", self.container.id().into()),
                ("CNI_NETNS", self.container.path().into()),
                ("CNI_IFNAME", "eth0".into()),
                ("CNI_PATH", self.side.folder.clone().into()),
            ],
            stdin: self.network.stdin(previous),
        }
    }

    /// The call of a verb, of which only the start is missing.
    ///
    /// # Errors
    /// As [`Call::prepare`] tells.
    pub fn prepare(&self, verb: &str, previous: Option<&Value>) -> Result<Prepared, Error> {
        Ok(self.call(verb, previous).prepare()?)
    }

    /// Attaches; how long it took, and the result.
    ///
    /// # Errors
    /// The plugin fails, or its result is no JSON.
    pub fn add(&self) -> Result<(Duration, Value), Error> {
        let (took, said) = self.call("ADD", None).run()?;
        Ok((took, result(said)?))
    }

    /// Checks; how long it took.
    ///
    /// # Errors
    /// The plugin fails.
    pub fn check(&self, previous: &Value) -> Result<Duration, Error> {
        Ok(self.call("CHECK", Some(previous)).run()?.0)
    }

    /// Detaches; how long it took.
    ///
    /// # Errors
    /// The plugin fails.
    pub fn del(&self, previous: &Value) -> Result<Duration, Error> {
        Ok(self.call("DEL", Some(previous)).run()?.0)
    }
}

/// The result that a plugin printed.
///
/// # Errors
/// [`Error::Result`].
pub fn result(said: String) -> Result<Value, Error> {
    serde_json::from_str(&said).map_err(|source| Error::Result { said, source })
}
