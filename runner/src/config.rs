//! What was asked of a container when it was created. It is written once, and only `rename` writes it again.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use images::ExposedPort;
use serde::{Deserialize, Serialize};
use vocab::{InterfaceName, MacAddress, NetworkName, Publish};

use crate::{Id, Name, as_text};

/// Everything that was asked of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: Name,
    /// When it was created: RFC 3339, UTC.
    pub created: String,
    /// What its root file system is made of.
    pub source: Source,
    /// What runs in it.
    pub program: Program,
    /// Which networks it is on.
    pub mode: Mode,
    /// Which of its ports are reached from outside.
    #[serde(default)]
    pub ports: Ports,
    /// What it and others are called inside.
    #[serde(default)]
    pub names: Names,
    /// What of the host it sees.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Folders that live in memory.
    #[serde(default)]
    pub tmpfs: Vec<Tmpfs>,
    /// What it may do.
    #[serde(default)]
    pub privileges: Privileges,
    /// How much it may use.
    #[serde(default)]
    pub limits: Limits,
    /// Kernel settings of its namespaces.
    #[serde(default)]
    pub sysctl: BTreeMap<String, String>,
    /// What people note of it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Whether it is removed when it ends.
    #[serde(default)]
    pub auto_remove: bool,
    /// The OCI runtime that starts it; nothing is netctl itself.
    #[serde(default)]
    pub runtime: Option<PathBuf>,
}

impl Config {
    /// A container of which nothing further is asked; created now.
    #[must_use]
    pub fn new(id: Id, name: Name, source: Source, mode: Mode) -> Self {
        Self {
            id,
            name,
            created: crate::now(),
            source,
            program: Program::default(),
            mode,
            ports: Ports::default(),
            names: Names::default(),
            volumes: Vec::new(),
            tmpfs: Vec::new(),
            privileges: Privileges::default(),
            limits: Limits::default(),
            sysctl: BTreeMap::new(),
            labels: BTreeMap::new(),
            auto_remove: false,
            runtime: None,
        }
    }
}

/// What a root file system is made of. What is written goes to a layer of the container's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The layers of an image.
    Image(ImageUse),
    /// A folder of the host, `/` included, which stays as it is.
    Folder(PathBuf),
}

/// The image of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUse {
    /// Its id: `sha256:` and 64 digits.
    pub id: String,
    /// As it was called.
    pub name: String,
}

/// What runs in a container: image and command line together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// The first words of the command line.
    #[serde(default)]
    pub entrypoint: Vec<String>,
    /// The others.
    #[serde(default)]
    pub cmd: Vec<String>,
    /// The environment: `NAME=value`, each name once.
    #[serde(default)]
    pub env: Vec<String>,
    /// The working directory; empty is `/`.
    #[serde(default)]
    pub working_dir: String,
    /// `name|uid[:group|gid]` of the container's own accounts; empty is root.
    #[serde(default)]
    pub user: String,
    /// Whether it has a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Whether its standard input stays open when nobody is attached.
    #[serde(default)]
    pub open_stdin: bool,
    /// Whether its standard input ends with the first who was attached to it.
    #[serde(default)]
    pub stdin_once: bool,
    /// Whether pid 1 is a reaper of ours.
    #[serde(default)]
    pub init: bool,
    /// The signal that asks it to end, a number; SIGTERM without it.
    #[serde(default)]
    pub stop_signal: Option<i32>,
    /// How long it has to end after that, in seconds; 10 without it.
    #[serde(default)]
    pub stop_timeout: Option<u32>,
}

/// In which network namespace a container lives, and what is made in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// One of its own, on networks: `bridge`, or those that people made. The first is asked first for the way out.
    Networks(Vec<Membership>),
    /// The host's.
    Host,
    /// One of its own, with nothing but `lo`.
    None,
    /// That of another container, with its names and its System V IPC.
    Container(Id),
    /// One that somebody made: its path.
    Namespace(PathBuf),
}

/// A network that a container is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// Its name.
    pub network: NetworkName,
    /// The address that the container is to have.
    #[serde(default)]
    pub ip: Option<Ipv4Addr>,
    /// The IPv6 address that the container is to have.
    #[serde(default)]
    pub ip6: Option<Ipv6Addr>,
    /// The MAC address that the container is to have.
    #[serde(default)]
    pub mac: Option<MacAddress>,
    /// Further names of the container on this network.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The name of the interface; the next free `ethN` without it.
    #[serde(default)]
    pub interface: Option<InterfaceName>,
}

impl Membership {
    /// On that network, with whatever it gives.
    #[must_use]
    pub const fn of(network: NetworkName) -> Self {
        Self { network, ip: None, ip6: None, mac: None, aliases: Vec::new(), interface: None }
    }
}

/// Which ports of a container are reached from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// Those that were named (`-p`).
    #[serde(default, with = "as_text")]
    pub publish: Vec<Publish>,
    /// Whether all that are exposed are published too (`-P`).
    #[serde(default)]
    pub publish_all: bool,
    /// Those that are exposed, by the image or `--expose`.
    #[serde(default, with = "as_text")]
    pub exposed: Vec<ExposedPort>,
}

/// What a container and others are called inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    /// What it calls itself; the short id without it, and in some modes others' names.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Its domain.
    #[serde(default)]
    pub domainname: Option<String>,
    /// The name servers it asks.
    #[serde(default)]
    pub dns: Vec<String>,
    /// Where names without dots are looked for.
    #[serde(default)]
    pub dns_search: Vec<String>,
    /// Options of resolv.conf(5).
    #[serde(default)]
    pub dns_options: Vec<String>,
    /// Further lines of /etc/hosts.
    #[serde(default)]
    pub add_hosts: Vec<AddHost>,
}

/// A further line of /etc/hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddHost {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub host: Host,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// The host, as the container reaches it.
    Gateway,
}

/// Something of the host that a container sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// Where on the host: absolute.
    pub source: PathBuf,
    /// Where in the container: absolute.
    pub destination: PathBuf,
    /// Whether nothing may be written to it.
    #[serde(default)]
    pub read_only: bool,
    /// How mounts below it spread: `rprivate` and its kin of mount_namespaces(7).
    #[serde(default)]
    pub propagation: Option<String>,
}

/// A folder in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Where in the container: absolute.
    pub destination: PathBuf,
    /// Options of tmpfs(5).
    #[serde(default)]
    pub options: Vec<String>,
}

/// What a container may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Privileges {
    /// Whether it may do what root may, to every device.
    #[serde(default)]
    pub privileged: bool,
    /// Capabilities besides the usual ones: `NET_ADMIN`, `ALL`.
    #[serde(default)]
    pub cap_add: Vec<String>,
    /// Capabilities that it has not.
    #[serde(default)]
    pub cap_drop: Vec<String>,
    /// Whether no program ever has more than it.
    #[serde(default)]
    pub no_new_privileges: bool,
    /// Whether it may make every system call.
    #[serde(default)]
    pub seccomp_unconfined: bool,
    /// Whether its root file system is for reading only.
    #[serde(default)]
    pub read_only: bool,
    /// Devices of the host: where there, where inside, and of `rwm` what for.
    #[serde(default)]
    pub devices: Vec<(PathBuf, PathBuf, String)>,
}

/// How much a container may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Of control groups.
    #[serde(default)]
    pub resources: oci::Resources,
    /// Of setrlimit(2).
    #[serde(default)]
    pub ulimits: Vec<Ulimit>,
    /// The size of /dev/shm in bytes; 64 MiB without it.
    #[serde(default)]
    pub shm_size: Option<u64>,
    /// Added to the kernel's score of whom to kill first.
    #[serde(default)]
    pub oom_score_adj: Option<i32>,
}

/// A limit of setrlimit(2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// Its name in Docker's words: `nofile`.
    pub name: String,
    /// What is in force; `u64::MAX` is no limit.
    pub soft: u64,
    /// How far it may be raised.
    pub hard: u64,
}
