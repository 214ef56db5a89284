//! From what was asked of a container to the `config.json` that a launcher gets: ours, or runc and crun.

mod accounts;
mod capabilities;
mod devices;
mod error;
mod limits;
mod mounts;
mod namespaces;
mod sysctl;

use std::path::{Path, PathBuf};

use oci::{Capabilities, Process, Root, Spec};

pub use accounts::Account;
pub use error::SpecError;

use crate::{Config, Folder, Mode};

/// What the programs of a container find if nobody says otherwise.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The container whose namespaces and names another one shares.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Its first process, as the host counts.
    pub pid: i32,
    /// Its files.
    pub folder: Folder,
}

/// What is known of a container besides what was asked of it.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// Its files.
    pub folder: &'a Folder,
    /// What is below what it writes, topmost first.
    pub lower: &'a [PathBuf],
    /// What it calls itself.
    pub hostname: &'a str,
    /// Whom it shares with, in mode `container:NAME`.
    pub shared: Option<&'a Shared>,
}

/// The whole of it.
///
/// # Errors
/// [`SpecError`]: something was asked that is not there, or cannot be had.
pub fn spec(config: &Config, around: &Surroundings<'_>) -> Result<Spec, SpecError> {
    let privileged = config.privileges.privileged;
    let process = process(config, around)?;
    let bounding = process.capabilities.as_ref().map(|sets| sets.bounding.clone()).unwrap_or_default();
    let is_confined = !privileged && !config.privileges.seccomp_unconfined;
    let mut resources = config.limits.resources.clone();
    resources.devices = devices::rules(config)?;
    let linux = oci::Linux {
        namespaces: namespaces::of(&config.mode, around.shared),
        cgroups_path: Some(Path::new("/").join(group_path(config))),
        resources,
        devices: devices::nodes(config)?,
        sysctl: sysctl::of(config)?,
        seccomp: is_confined.then(|| seccomp::docker_default(&bounding)),
        rootfs_propagation: mounts::propagation(config),
        masked_paths: if privileged { Vec::new() } else { masked() },
        readonly_paths: if privileged { Vec::new() } else { paths(&READ_ONLY) },
    };
    let shares_names = matches!(config.mode, Mode::Container(_));
    Ok(Spec {
        oci_version: oci::VERSION.to_owned(),
        process,
        root: Root { path: around.folder.root(), readonly: config.privileges.read_only },
        hostname: (!shares_names).then(|| around.hostname.to_owned()),
        domainname: config.names.domainname.clone().filter(|_| !shares_names),
        mounts: mounts::of(config, around)?,
        annotations: config.labels.clone(),
        linux,
    })
}

/// The container's control group, below each hierarchy.
#[must_use]
pub fn group_path(config: &Config) -> PathBuf {
    Path::new("netctl").join(config.id.as_str())
}

/// The program itself, and what it may do.
///
/// # Errors
/// [`SpecError`].
pub(crate) fn process(config: &Config, around: &Surroundings<'_>) -> Result<Process, SpecError> {
    let program = &config.program;
    let account = Account::find(&program.user, around)?;
    let allowed = capabilities::of(&config.privileges)?;
    let args: Vec<String> = program.entrypoint.iter().chain(&program.cmd).cloned().collect();
    if args.is_empty() {
        return Err(SpecError::NoProgram);
    }
    // Whoever is not root has none in force, the way to its program included: access(2) then says what execve(2) will.
    let in_force = if account.user.uid == 0 { allowed.clone() } else { Vec::new() };
    Ok(Process {
        terminal: program.tty,
        env: environment(config, &program.env, &account, around.hostname),
        user: account.user,
        args,
        cwd: Path::new("/").join(&program.working_dir),
        capabilities: Some(Capabilities {
            bounding: allowed,
            effective: in_force.clone(),
            permitted: in_force,
            inheritable: Vec::new(),
            ambient: Vec::new(),
        }),
        rlimits: limits::of(&config.limits)?,
        no_new_privileges: config.privileges.no_new_privileges,
        oom_score_adj: config.limits.oom_score_adj,
    })
}

/// What was asked for, and what every program expects.
pub(crate) fn environment(
    config: &Config,
    asked: &[String],
    account: &Account,
    hostname: &str,
) -> Vec<String> {
    let has =
        |name: &str| asked.iter().any(|known| known.split_once('=').is_some_and(|(known, _)| known == name));
    let mut environment = Vec::new();
    let mut add = |name: &str, variable: String| {
        if !has(name) {
            environment.push(variable);
        }
    };
    add("PATH", PATH.to_owned());
    add("HOSTNAME", format!("HOSTNAME={hostname}"));
    if config.program.tty {
        add("TERM", "TERM=xterm".to_owned());
    }
    add("HOME", format!("HOME={}", account.home));
    environment.extend(asked.iter().cloned());
    environment
}

/// What of the kernel's files tells of the host, or of others.
const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What of the kernel's files changes the host when it is written.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// With what each processor tells of its heat, by which neighbours can be watched.
fn masked() -> Vec<PathBuf> {
    let mut masked = paths(&MASKED);
    let processors = std::fs::read_dir("/sys/devices/system/cpu").into_iter().flatten().flatten();
    let throttles = processors.map(|processor| processor.path().join("thermal_throttle"));
    masked.extend(throttles.filter(|path| path.is_dir()));
    masked.sort();
    masked
}

fn paths(paths: &[&str]) -> Vec<PathBuf> {
    paths.iter().map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests;
