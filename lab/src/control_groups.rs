//! Control groups of a host's own: whatever is made there is gone with the host.
//!
//! Not a namespace of their kind: processes would have to be moved into it one by one, and it would not remove
//! what was made. Instead, one group in each hierarchy of the machine takes the place of the root, by a mount that only the
//! host sees. That suits version 1, 2 and both at once.

use crate::call::Call;
use crate::host::Host;
use crate::outcome::Unexpected;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const MOUNTS: &str = "/proc/self/mounts";
const ROOT: &str = "/sys/fs/cgroup";
const MOUNT: &str = include_str!("control_groups/mount.sh");
const JANITOR: &str = include_str!("control_groups/janitor.sh");

/// Version 1: without them a group takes no process, and whoever makes one below copies them from here.
const CPUSET: [&str; 2] = ["cpuset.cpus", "cpuset.mems"];

/// The groups, and the process that waits for our end, however it comes.
#[derive(Debug)]
pub(crate) struct ControlGroups {
    janitor: Child,
}

/// Control groups could not be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("read {MOUNTS}")]
    Mounts(#[source] io::Error),
    #[error("find control groups below {ROOT}")]
    None,
    #[error("start sh, which is to remove control groups")]
    Janitor(#[source] io::Error),
    #[error("make control group {}", path.display())]
    Make { path: PathBuf, source: io::Error },
    #[error("mount control groups inside the host")]
    Mount(#[source] Unexpected),
}

impl ControlGroups {
    /// Makes one group in each hierarchy and mounts it inside the host where the hierarchy was.
    ///
    /// To be dropped after the host has ended: as long as there is a process in a group, it cannot be removed.
    pub(crate) fn of(host: &Host) -> Result<Self, Error> {
        let roots = hierarchies(&fs::read_to_string(MOUNTS).map_err(Error::Mounts)?);
        if roots.is_empty() {
            return Err(Error::None);
        }
        let name = format!("lab-{}", host.pid());
        let groups: Vec<PathBuf> = roots.iter().map(|root| root.join(&name)).collect();
        // It comes first, so that nothing is left of what fails half-way.
        let made = Self { janitor: start_janitor(&groups).map_err(Error::Janitor)? };
        groups.iter().try_for_each(|group| make(group))?;
        let call = Call::new(["sh", "-c", MOUNT, "mount.sh", &name]);
        roots.iter().fold(call, Call::arg).run(host).ok().map_err(Error::Mount)?;
        Ok(made)
    }
}

impl Drop for ControlGroups {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        let _reaped = self.janitor.wait();
    }
}

/// Where the hierarchies are mounted. Not the one inside another, as a bind mount may show it.
fn hierarchies(mounts: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for line in mounts.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(path), Some("cgroup" | "cgroup2")) = (words.next(), words.next()) else { continue };
        let path = Path::new(path);
        if path.starts_with(ROOT) && !found.iter().any(|other| path.starts_with(other)) {
            found.push(path.to_owned());
        }
    }
    found
}

fn make(group: &Path) -> Result<(), Error> {
    let failed = |source| Error::Make { path: group.to_owned(), source };
    fs::create_dir(group).map_err(failed)?;
    for key in CPUSET {
        let of_root = group.with_file_name(key);
        if of_root.exists() {
            let value = fs::read(of_root).map_err(failed)?;
            fs::write(group.join(key), value).map_err(failed)?;
        }
    }
    Ok(())
}

fn start_janitor(groups: &[PathBuf]) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", JANITOR, "janitor.sh"]).args(groups);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_of_both_versions_are_found_once() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n\
                      cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n\
                      cgroup2 /mnt cgroup2 rw 0 0\n\
                      cgroup /sys/fs/cgroup/cpu/below cgroup rw,cpu 0 0\n";
        let found = hierarchies(mounts);
        assert_eq!(found, ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/unified"].map(PathBuf::from));
        assert_eq!(hierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0"), [PathBuf::from(ROOT)]);
    }
}
