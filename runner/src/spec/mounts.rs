//! What is mounted in a container.

use std::fs;
use std::path::{Path, PathBuf};

use oci::Mount;

use super::{SpecError, Surroundings};
use crate::{Config, Tmpfs, Volume};

/// The size of /dev/shm in bytes, as Docker has it.
const SHM: u64 = 64 << 20;

/// Everything, in the order in which it is mounted: what lies deeper comes later.
pub(super) fn of(config: &Config, around: &Surroundings<'_>) -> Result<Vec<Mount>, SpecError> {
    let mut mounts = kernel(config);
    // Who shares names shares the files that tell them.
    let names = around.shared.map_or(around.folder, |shared| &shared.folder);
    mounts.extend([
        file(names.resolv_conf(), "/etc/resolv.conf"),
        file(names.hostname(), "/etc/hostname"),
        file(names.hosts(), "/etc/hosts"),
    ]);
    let mut asked: Vec<Mount> = config.tmpfs.iter().map(memory).collect();
    for volume in &config.volumes {
        ensure_source(volume)?;
        asked.push(bind(volume));
    }
    asked.sort_by_key(|mount| mount.destination.components().count());
    // What somebody mounts there takes the place of what we would.
    mounts.retain(|mount| !asked.iter().any(|other| other.destination == mount.destination));
    mounts.extend(asked);
    Ok(mounts)
}

/// What mounts of the host must be for one of the volumes to spread as it was asked to.
pub(super) fn propagation(config: &Config) -> Option<String> {
    let spreads = |word: &str| {
        config
            .volumes
            .iter()
            .any(|volume| volume.propagation.as_deref().is_some_and(|known| known.ends_with(word)))
    };
    let word = if spreads("shared") {
        "rshared"
    } else if spreads("slave") {
        "rslave"
    } else {
        "rprivate"
    };
    Some(word.to_owned())
}

/// The kernel's own.
fn kernel(config: &Config) -> Vec<Mount> {
    let privileged = config.privileges.privileged;
    let mode = if privileged { "rw" } else { "ro" };
    let shm = format!("size={}", config.limits.shm_size.unwrap_or(SHM));
    vec![
        mount("proc", "proc", "/proc", &["nosuid", "noexec", "nodev"]),
        mount("tmpfs", "tmpfs", "/dev", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "devpts",
            "devpts",
            "/dev/pts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("sysfs", "sysfs", "/sys", &["nosuid", "noexec", "nodev", mode]),
        mount("cgroup", "cgroup", "/sys/fs/cgroup", &[mode, "nosuid", "noexec", "nodev"]),
        mount("mqueue", "mqueue", "/dev/mqueue", &["nosuid", "noexec", "nodev"]),
        mount("tmpfs", "shm", "/dev/shm", &["nosuid", "noexec", "nodev", "mode=1777", &shm]),
    ]
}

fn mount(kind: &str, source: &str, destination: &str, options: &[&str]) -> Mount {
    Mount {
        destination: destination.into(),
        kind: Some(kind.to_owned()),
        source: Some(source.into()),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    }
}

fn file(source: PathBuf, destination: &str) -> Mount {
    Mount { source: Some(source), ..mount("bind", "", destination, &["rbind", "rprivate"]) }
}

fn memory(tmpfs: &Tmpfs) -> Mount {
    let usual = ["noexec", "nosuid", "nodev"].map(str::to_owned);
    let contradicts = |word: &str| tmpfs.options.iter().any(|option| format!("no{option}") == word);
    let options = usual.into_iter().filter(|word| !contradicts(word)).chain(tmpfs.options.iter().cloned());
    let bare = mount("tmpfs", "tmpfs", "", &[]);
    Mount { destination: tmpfs.destination.clone(), options: options.collect(), ..bare }
}

fn bind(volume: &Volume) -> Mount {
    let propagation = volume.propagation.as_deref().unwrap_or("rprivate");
    let mode = if volume.read_only { "ro" } else { "rw" };
    Mount {
        destination: volume.destination.clone(),
        kind: Some("bind".to_owned()),
        source: Some(volume.source.clone()),
        options: ["rbind", propagation, mode].map(str::to_owned).to_vec(),
    }
}

/// As Docker does: what is not there becomes a folder.
fn ensure_source(volume: &Volume) -> Result<(), SpecError> {
    let path: &Path = &volume.source;
    if path.exists() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|source| SpecError::Volume { path: path.to_owned(), source })
}
