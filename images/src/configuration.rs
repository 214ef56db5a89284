//! What an image says of itself: how its programs run, of which layers it is made, and how they came to be.
//!
//! Read from the image's own file, whose bytes are kept as they came: their digest is the image's id.

use crate::digest::DiffId;
use crate::platform::Platform;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use vocab::{PortRange, Protocol};

/// Docker writes `null` for what is empty.
fn or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The image's file. What is not named here is for others, and is kept in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// For which machine it is.
    #[serde(flatten)]
    pub platform: Platform,
    /// When it was made, as it says: not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// How a program of it runs.
    #[serde(default, deserialize_with = "or_default")]
    pub config: Config,
    /// Its layers.
    pub rootfs: RootFs,
    /// The steps that made it, oldest first.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub history: Vec<Step>,
}

/// The layers of an image, lowest first.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// `layers`: there is no other kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their digests.
    #[serde(default, deserialize_with = "or_default")]
    pub diff_ids: Vec<DiffId>,
}

/// One step that made an image.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// By which command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// It changed no file, and has no layer.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub empty_layer: bool,
}

/// How a program of an image runs, unless whoever runs it says otherwise.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Config {
    /// `name|uid[:group|gid]`, of the image's own accounts.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub user: String,
    /// Ports that its programs listen on.
    #[serde(
        deserialize_with = "or_default_set",
        serialize_with = "as_set",
        skip_serializing_if = "is_default"
    )]
    pub exposed_ports: BTreeSet<ExposedPort>,
    /// `NAME=VALUE`.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub env: Vec<String>,
    /// The program.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub entrypoint: Vec<String>,
    /// Its arguments; or the program with them, where there is no entry point.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub cmd: Vec<String>,
    /// Folders whose content outlives the container.
    #[serde(
        deserialize_with = "or_default_set",
        serialize_with = "as_set",
        skip_serializing_if = "is_default"
    )]
    pub volumes: BTreeSet<String>,
    /// Where the program starts.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub working_dir: String,
    /// What people note of it.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// The signal that ends it: a name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
}

/// A set as Go has it: a map to nothing.
fn or_default_set<'de, D, T>(deserializer: D) -> Result<BTreeSet<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + Ord,
    T::Err: fmt::Display,
{
    let map =
        Option::<BTreeMap<String, serde::de::IgnoredAny>>::deserialize(deserializer)?.unwrap_or_default();
    map.into_keys().map(|key| key.parse().map_err(serde::de::Error::custom)).collect()
}

fn as_set<S: Serializer, T: fmt::Display>(set: &BTreeSet<T>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Nothing {}
    serializer.collect_map(set.iter().map(|item| (item.to_string(), Nothing {})))
}

/// Text that is no port that an image exposes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{text:?} is no exposed port: expected PORT[-PORT][/tcp|/udp|/sctp]")]
pub struct InvalidExposedPort {
    /// What was given.
    pub text: String,
}

/// A port, or several in a row, that the programs of an image listen on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExposedPort {
    /// Which.
    pub ports: PortRange,
    /// By what.
    pub protocol: Protocol,
}

impl ExposedPort {
    fn rank(&self) -> (u16, u16, String) {
        (self.ports.first().get(), self.ports.last().get(), self.protocol.to_string())
    }
}

impl Ord for ExposedPort {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for ExposedPort {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ExposedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ports, self.protocol)
    }
}

impl FromStr for ExposedPort {
    type Err = InvalidExposedPort;
    fn from_str(text: &str) -> Result<Self, InvalidExposedPort> {
        let invalid = || InvalidExposedPort { text: text.to_owned() };
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = protocol.to_ascii_lowercase().parse().map_err(|_| invalid())?;
        Ok(Self { ports: ports.parse().map_err(|_| invalid())?, protocol })
    }
}

impl Configuration {
    /// When the image was made, if what it says is a time.
    #[must_use]
    pub fn created(&self) -> Option<jiff::Timestamp> {
        self.created.as_deref().and_then(|text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_writes_null_for_what_is_empty() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"Cmd":null,"Env":["A=b"],"Labels":null,
            "ExposedPorts":{"80/tcp":{},"53-54/UDP":{},"8080":{}},"Volumes":{"/data":{}},"Healthcheck":{"Test":["NONE"]}},
            "rootfs":{"type":"layers","diff_ids":null},"history":null,"created":"0001-01-01T00:00:00Z","docker_version":"29"}"#;
        let read: Configuration = serde_json::from_str(text).unwrap();
        assert_eq!((read.config.cmd.len(), read.config.env[0].as_str()), (0, "A=b"));
        let ports: Vec<String> = read.config.exposed_ports.iter().map(ToString::to_string).collect();
        assert_eq!(ports, ["53-54/udp", "80/tcp", "8080/tcp"]);
        assert!(read.created().is_some());
        let written = serde_json::to_value(&read.config).unwrap();
        assert_eq!(written["Volumes"], serde_json::json!({"/data": {}}));
        assert!(written.get("Cmd").is_none());
    }

    #[test]
    fn a_port_that_is_none_is_refused_at_the_door() {
        for text in ["0/tcp", "80/icmp", "90-80", "", "70000"] {
            assert!(text.parse::<ExposedPort>().is_err(), "{text}");
        }
    }
}
