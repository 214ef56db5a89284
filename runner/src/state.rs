//! What became of a container. Written by its monitor while there is one, and by whoever finishes for it then.

use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use vocab::{InterfaceName, MacAddress, NetworkName, Publish};

use crate::as_text;

/// What a container is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has not been started.
    #[default]
    Created,
    /// Its monitor is about to start it; on disk also while it runs.
    Starting,
    /// It runs.
    Running,
    /// It runs, and its processes are held.
    Paused,
    /// It has ended.
    Exited,
}

/// What became of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// What it is doing.
    pub status: Status,
    /// The process id of its first process, as the host counts; while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The process id of its monitor; while there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<i32>,
    /// The life of the machine in which it was started the last time: random(4), `boot_id`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boot: String,
    /// When it was started the last time: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// How it ended the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// The networks that it is on now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
}

/// How a container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// Its exit code: 128 and the signal if a signal ended it; 137 if its monitor was killed.
    pub code: u8,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Whether it had used up its memory.
    #[serde(default)]
    pub out_of_memory: bool,
    /// Why it could not be started, or what failed when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A network that a container is on, as the plugins answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The network.
    pub network: NetworkName,
    /// The interface in the container.
    pub interface: InterfaceName,
    /// Its MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddress>,
    /// Its addresses.
    #[serde(default)]
    pub addresses: Vec<IpNetwork>,
    /// The gateways of the network.
    #[serde(default)]
    pub gateways: Vec<IpAddr>,
    /// Further names of the container there.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The ports of the host that lead to it by this network: each is settled.
    #[serde(default, with = "as_text")]
    pub ports: Vec<Publish>,
}
