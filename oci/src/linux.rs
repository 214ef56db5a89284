//! What is peculiar to Linux.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Resources, Seccomp};

/// Namespaces, control group, devices, and what is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Linux {
    /// The namespaces that are made or joined.
    #[serde(default)]
    pub namespaces: Vec<Namespace>,
    /// The container's control group: a path below each hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroups_path: Option<PathBuf>,
    /// The limits of its control group.
    #[serde(default)]
    pub resources: Resources,
    /// Device nodes besides those that every container has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// Kernel settings of its namespaces: names as for sysctl(8).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctl: BTreeMap<String, String>,
    /// Which system calls it may make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// How mounts of the host and of the container spread: `private`, `slave`, `shared`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rootfs_propagation: Option<String>,
    /// What nobody may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked_paths: Vec<PathBuf>,
    /// What nobody may write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readonly_paths: Vec<PathBuf>,
}

/// A namespace that is made or joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Of what.
    #[serde(rename = "type")]
    pub kind: NamespaceKind,
    /// The one that is joined; without it, one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// What a namespace is of: namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceKind {
    /// Mounts.
    Mount,
    /// Processes.
    Pid,
    /// Links, addresses, routes, rules.
    Network,
    /// Names of host and domain.
    Uts,
    /// System V IPC and message queues.
    Ipc,
    /// Users and groups.
    User,
    /// The root of control groups.
    Cgroup,
    /// The monotonic clocks.
    Time,
}

/// A device node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Where in the container.
    pub path: PathBuf,
    /// What kind of device.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// Its major number.
    pub major: u32,
    /// Its minor number.
    pub minor: u32,
    /// Its mode, without the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_mode: Option<u32>,
    /// Its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

/// What kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceKind {
    /// A character device.
    #[serde(rename = "c", alias = "u")]
    Character,
    /// A block device.
    #[serde(rename = "b")]
    Block,
    /// A named pipe.
    #[serde(rename = "p")]
    Pipe,
    /// Every device: in rules only.
    #[serde(rename = "a")]
    All,
}
