//! The `config.json` of an OCI bundle, as far as containers of ours need one.
//!
//! Names, units and meanings are those of the [OCI runtime specification] 1.0.2: what is written here is read by crate
//! `launch`, and by runc and crun after `--runtime`. Nothing is interpreted here.
//!
//! [OCI runtime specification]: https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config-linux.md

mod linux;
mod process;
mod resources;
mod seccomp;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use linux::{Device, DeviceKind, Linux, Namespace, NamespaceKind};
pub use process::{Capabilities, Process, Rlimit, User};
pub use resources::{Cpu, DeviceRule, HugepageLimit, Memory, Pids, Resources};
pub use seccomp::{Action, Comparison, Operator, Seccomp, Syscalls};

/// The version of the specification that [`Spec`] follows.
pub const VERSION: &str = "1.0.2";

/// A whole `config.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The version of the specification: [`VERSION`].
    pub oci_version: String,
    /// What is executed, and as whom.
    pub process: Process,
    /// The root file system.
    pub root: Root,
    /// The host's name as the container sees it; nothing leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The NIS domain name as the container sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// What is mounted, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// What anybody wants to be known of the container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What is peculiar to Linux.
    pub linux: Linux,
}

/// The root file system of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Where it is; relative to the bundle if not absolute.
    pub path: PathBuf,
    /// Whether nothing may be written to it.
    #[serde(default)]
    pub readonly: bool,
}

/// Something that is mounted into a container: mount(8)'s words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where in the container.
    pub destination: PathBuf,
    /// The type of the file system; `bind` or nothing for a folder or file of the host.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What: a folder or file of the host, or whatever the type wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Options as in fstab(5): `nosuid`, `ro`, `rbind`, `rprivate`, `mode=1777`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

#[cfg(test)]
mod tests;
