//! What is executed in a container.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A process, the first or a further one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether it has a terminal of its own.
    #[serde(default)]
    pub terminal: bool,
    /// As whom it runs.
    pub user: User,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Its environment: `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// The working directory: absolute, in the container.
    pub cwd: PathBuf,
    /// What it may do of what root may; nothing leaves it what whoever starts it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// Limits of setrlimit(2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rlimits: Vec<Rlimit>,
    /// Whether execve(2) can never give it more than it has (`PR_SET_NO_NEW_PRIVS`).
    #[serde(default)]
    pub no_new_privileges: bool,
    /// Added to the kernel's score of whom to kill first when memory is short: -1000 to 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i32>,
}

/// As whom a process runs: numbers, because the kernel knows no names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The user's id.
    pub uid: u32,
    /// The id of its first group.
    pub gid: u32,
    /// Its further groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_gids: Vec<u32>,
}

/// The sets of capabilities(7) of a process: names such as `CAP_NET_RAW`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What it can ever get.
    #[serde(default)]
    pub bounding: Vec<String>,
    /// What it has in force.
    #[serde(default)]
    pub effective: Vec<String>,
    /// What may be handed on by programs whose file says so.
    #[serde(default)]
    pub inheritable: Vec<String>,
    /// What it may put in force.
    #[serde(default)]
    pub permitted: Vec<String>,
    /// What it hands on to any program.
    #[serde(default)]
    pub ambient: Vec<String>,
}

/// A limit of setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rlimit {
    /// Its name, such as `RLIMIT_NOFILE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is in force, in the unit of the limit; `u64::MAX` is no limit.
    pub soft: u64,
    /// How far the process may raise it itself.
    pub hard: u64,
}
