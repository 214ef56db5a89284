//! One file of the cache, in libcni's format.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cni::{Args, ResultError, Success, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vocab::{Attachment, ContainerId, InterfaceName, InvalidInterfaceName, InvalidName, NetworkName};

/// The mark of the format.
const KIND: &str = "cniCacheV1";

/// Why the content of a file is no entry.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON object, or one whose fields do not fit.
    #[error("decode cached result")]
    Decode(#[source] serde_json::Error),
    /// A name in it is none.
    #[error("decode cached result")]
    Name(#[from] InvalidName),
    /// The interface in it has no name.
    #[error("decode cached result")]
    Interface(#[from] InvalidInterfaceName),
    /// The configuration in it is not in base64.
    #[error("decode cached result: config")]
    Config(#[source] base64::DecodeError),
    /// The result in it cannot be read.
    #[error("decode cached result")]
    Result(#[source] ResultError),
    /// It is a bare result, which does not say whose it is.
    #[error("decode cached result: it does not say which attachment it belongs to")]
    Bare,
}

/// What is kept of an attachment.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The network.
    pub network: NetworkName,
    /// The container and its interface.
    pub attachment: Attachment,
    /// The container's namespace, if the runtime noted it: many do not. [`namespace`](Self::namespace) knows more.
    pub netns: Option<PathBuf>,
    /// The list as it was read; empty in files of older runtimes.
    pub config: Vec<u8>,
    /// `CNI_ARGS`.
    pub args: Args,
    /// What was given for capabilities.
    pub capability_args: Map<String, Value>,
    /// What ADD answered.
    pub result: Success,
    /// The version in which it answered.
    pub version: Version,
}

/// The fields in libcni's order, which it writes them in.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    kind: String,
    #[serde(rename = "containerId", default)]
    container: String,
    #[serde(default)]
    config: Option<String>,
    #[serde(rename = "ifName", default)]
    interface: String,
    #[serde(rename = "networkName", default)]
    network: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    netns: String,
    #[serde(rename = "cniArgs", default, skip_serializing_if = "is_none_or_empty")]
    args: Option<Vec<(String, String)>>,
    #[serde(rename = "capabilityArgs", default, skip_serializing_if = "is_none_or_no_key")]
    capability_args: Option<Map<String, Value>>,
    #[serde(default)]
    result: Value,
}

fn is_none_or_empty(pairs: &Option<Vec<(String, String)>>) -> bool {
    pairs.as_ref().is_none_or(Vec::is_empty)
}

fn is_none_or_no_key(args: &Option<Map<String, Value>>) -> bool {
    args.as_ref().is_none_or(Map::is_empty)
}

impl Entry {
    /// Reads a file. One that holds a bare result, as runtimes wrote it before libcni 0.8, belongs to
    /// `owner`, which its name was made of.
    pub(super) fn read(bytes: &[u8], owner: Option<(&NetworkName, &Attachment)>) -> Result<Self, Unreadable> {
        let object: Map<String, Value> = serde_json::from_slice(bytes).map_err(Unreadable::Decode)?;
        if object.get("kind").and_then(Value::as_str) == Some(KIND) {
            let written = serde_json::from_value(Value::Object(object)).map_err(Unreadable::Decode)?;
            return Self::from_written(written);
        }
        let (network, attachment) = owner.ok_or(Unreadable::Bare)?;
        let (result, version) = read_result(&Value::Object(object))?;
        Ok(Self {
            network: network.clone(),
            attachment: attachment.clone(),
            netns: None,
            config: Vec::new(),
            args: Args::default(),
            capability_args: Map::new(),
            result,
            version,
        })
    }

    /// Where the container's namespace was at the time of ADD: as the runtime noted it, or else as the plugins answered.
    /// The libcni of podman 4 and of containerd 1.6 notes none.
    ///
    /// Whether the container still lives there is another question, which only the namespace itself can answer.
    #[must_use]
    pub fn namespace(&self) -> Option<&Path> {
        let is_its_own = |interface: &&cni::Interface| {
            interface.name == self.attachment.interface.as_str() && !interface.sandbox.is_empty()
        };
        let answered = || self.result.interfaces.iter().find(is_its_own);
        self.netns.as_deref().or_else(|| answered().map(|interface| Path::new(&interface.sandbox)))
    }

    fn from_written(written: Written) -> Result<Self, Unreadable> {
        let container = ContainerId::new(&written.container)?;
        let (result, version) = read_result(&written.result)?;
        Ok(Self {
            network: NetworkName::new(&written.network)?,
            attachment: Attachment::new(container, InterfaceName::new(&written.interface)?),
            netns: (!written.netns.is_empty()).then(|| written.netns.into()),
            config: STANDARD.decode(written.config.unwrap_or_default()).map_err(Unreadable::Config)?,
            args: written.args.unwrap_or_default().into_iter().collect(),
            capability_args: written.capability_args.unwrap_or_default(),
            result,
            version,
        })
    }

    /// The file: one line.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let netns = self.netns.as_deref().map(|netns| netns.to_string_lossy().into_owned());
        let pairs = self.args.pairs().map(|(key, value)| (key.to_owned(), value.to_owned()));
        serde_json::to_vec(&Written {
            kind: KIND.to_owned(),
            container: self.attachment.container.to_string(),
            config: Some(STANDARD.encode(&self.config)),
            interface: self.attachment.interface.to_string(),
            network: self.network.to_string(),
            netns: netns.unwrap_or_default(),
            args: Some(pairs.collect()),
            capability_args: Some(self.capability_args.clone()),
            result: self
                .result
                .to_value(self.version)
                .map_err(<serde_json::Error as serde::ser::Error>::custom)?,
        })
    }
}

/// A result and its version; one that does not say its version has the first.
fn read_result(value: &Value) -> Result<(Success, Version), Unreadable> {
    let result = Success::read(value, Version::V0_1_0).map_err(Unreadable::Result)?;
    let version = value.get("cniVersion").and_then(Value::as_str).unwrap_or_default();
    Ok((result, Version::parse(version).unwrap_or(Version::V0_1_0)))
}
