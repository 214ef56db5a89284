//! Which hierarchies this host has mounted, and where.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;

/// A hierarchy that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where.
    pub mount: PathBuf,
    /// Its controllers: `memory`, `cpu`.
    pub controllers: Vec<String>,
    /// Whether it is of v2.
    pub is_unified: bool,
}

/// The hierarchies of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hierarchies(pub(crate) Vec<Hierarchy>);

impl Hierarchies {
    /// Those that this process sees.
    ///
    /// # Errors
    /// [`Error::File`] of `/proc/self/mountinfo` (proc(5)).
    pub fn discover() -> Result<Self, Error> {
        let path = Path::new("/proc/self/mountinfo");
        let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
        let mut found = Self::from_mounts(&text, is_there);
        for hierarchy in found.0.iter_mut().filter(|hierarchy| hierarchy.is_unified) {
            let known = fs::read_to_string(hierarchy.mount.join("cgroup.controllers")).unwrap_or_default();
            hierarchy.controllers = known.split_whitespace().map(str::to_owned).collect();
        }
        Ok(found)
    }

    /// These, and no others: wherever hierarchies are mounted.
    #[must_use]
    pub fn of(hierarchies: Vec<Hierarchy>) -> Self {
        Self(hierarchies)
    }

    /// What a text as of `/proc/self/mountinfo` tells. What is mounted twice counts once, and what lies hidden below
    /// another mount not at all.
    fn from_mounts(text: &str, is_there: impl Fn(&Hierarchy) -> bool) -> Self {
        let mut found: Vec<Hierarchy> = Vec::new();
        for hierarchy in text.lines().filter_map(hierarchy_of).filter(is_there) {
            let is_known = |known: &Hierarchy| {
                known.is_unified == hierarchy.is_unified && known.controllers == hierarchy.controllers
            };
            if !found.iter().any(is_known) {
                found.push(hierarchy);
            }
        }
        Self(found)
    }

    /// The hierarchy that has that controller: v1's before v2's, because a controller is of one alone.
    pub(crate) fn with(&self, controller: &str) -> Option<&Hierarchy> {
        self.0.iter().find(|hierarchy| hierarchy.controllers.iter().any(|known| known == controller))
    }
}

/// Whether the kernel's groups are what one comes to by the path.
fn is_there(hierarchy: &Hierarchy) -> bool {
    /// `CGROUP_SUPER_MAGIC` and `CGROUP2_SUPER_MAGIC` of linux/magic.h.
    const MAGIC: [u64; 2] = [0x0027_e0eb, 0x6367_7270];
    let wanted = MAGIC[usize::from(hierarchy.is_unified)];
    rustix::fs::statfs(&hierarchy.mount).is_ok_and(|found| found.f_type as u64 == wanted)
}

fn hierarchy_of(line: &str) -> Option<Hierarchy> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut words = mount.split(' ');
    let path = unescaped(words.nth(4)?);
    let mut words = file_system.split(' ');
    let (kind, options) = (words.next()?, words.nth(1)?);
    match kind {
        "cgroup2" => Some(Hierarchy { mount: path, controllers: Vec::new(), is_unified: true }),
        "cgroup" => {
            let is_controller = |word: &&str| {
                !matches!(
                    *word,
                    "rw" | "ro" | "xattr" | "noprefix" | "clone_children" | "cpuset_v2_mode" | "nsdelegate"
                )
            };
            let controllers: Vec<_> = options.split(',').filter(is_controller).map(str::to_owned).collect();
            // One that only has a name, as systemd's, takes no groups of ours; but other runtimes make some there.
            (!controllers.is_empty()).then_some(Hierarchy { mount: path, controllers, is_unified: false })
        }
        _ => None,
    }
}

/// Blanks and backslashes are octal in proc(5).
fn unescaped(text: &str) -> PathBuf {
    let mut path = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        path.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                path.push(char::from(code));
                rest = &after[3..];
            }
            None => {
                path.push('\\');
                rest = after;
            }
        }
    }
    path.push_str(rest);
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:32 / /mnt/memory\\040two rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
42 31 0:39 / /mnt rw,relatime - ext4 /dev/vda rw
";

    #[test]
    fn hierarchies_are_found_where_they_are_mounted() {
        let found = Hierarchies::from_mounts(HYBRID, |_| true);
        let shown: Vec<_> = found
            .0
            .iter()
            .map(|one| (one.mount.to_str().unwrap(), one.controllers.join(","), one.is_unified))
            .collect();
        assert_eq!(
            shown,
            [
                ("/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct".to_owned(), false),
                ("/sys/fs/cgroup/memory", "memory".to_owned(), false),
                ("/sys/fs/cgroup/systemd", "name=systemd".to_owned(), false),
                ("/sys/fs/cgroup/unified", String::new(), true),
            ]
        );
        assert_eq!(found.with("cpuacct").map(|one| one.is_unified), Some(false));
        assert_eq!(found.with("pids"), None);
    }

    #[test]
    fn what_is_hidden_does_not_count_and_what_hides_it_does() {
        let mounts = format!("{HYBRID}50 1 0:50 / /cg rw - cgroup2 cgroup2 rw\n");
        let found = Hierarchies::from_mounts(&mounts, |one| !one.mount.starts_with("/sys"));
        let mounts: Vec<_> = found.0.iter().map(|one| one.mount.to_str().unwrap()).collect();
        assert_eq!(mounts, ["/mnt/memory two", "/cg"]);
    }

    #[test]
    fn blanks_in_paths_are_read_as_they_are() {
        assert_eq!(unescaped("/mnt/a\\040b\\134c"), Path::new("/mnt/a b\\c"));
        assert_eq!(unescaped("/mnt/a\\x"), Path::new("/mnt/a\\x"));
    }
}
