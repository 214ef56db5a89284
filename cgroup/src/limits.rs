//! Limits, written as each version wants them.

mod first;
mod second;

use std::fs;
use std::path::Path;

use oci::Resources;

use crate::group::Member;
use crate::{Error, Hierarchies, files};

/// Limits in Docker's words, the controller that each takes, and whether it is asked for.
fn asked(resources: &Resources) -> [(&'static str, &'static str, bool); 5] {
    let cpu = resources.cpu.clone().unwrap_or_default();
    let has_time = cpu.shares.is_some() || cpu.quota.is_some() || cpu.period.is_some();
    [
        (
            "--memory",
            "memory",
            resources.memory.as_ref().is_some_and(|memory| *memory != oci::Memory::default()),
        ),
        ("--cpus", "cpu", has_time),
        ("--cpuset-cpus", "cpuset", cpu.cpus.is_some() || cpu.mems.is_some()),
        ("--pids-limit", "pids", resources.pids.as_ref().is_some_and(|pids| pids.limit > 0)),
        ("huge pages", "hugetlb", !resources.hugepage_limits.is_empty()),
    ]
}

/// A limit that nobody would enforce is no limit.
pub(crate) fn ensure_possible(hierarchies: &Hierarchies, resources: &Resources) -> Result<(), Error> {
    for (limit, controller, is_asked) in asked(resources) {
        if is_asked && hierarchies.with(controller).is_none() {
            return Err(Error::NoController { limit, controller });
        }
    }
    Ok(())
}

/// Whether a controller has something to do for `resources`.
pub(crate) fn touches(controller: &str, resources: &Resources) -> bool {
    asked(resources).iter().any(|(_, of, is_asked)| *is_asked && *of == controller)
}

/// Writes what this hierarchy's controllers limit.
pub(crate) fn set(member: &Member, resources: &Resources) -> Result<(), Error> {
    for (name, value) in if member.is_unified { second::files(resources) } else { first::files(resources) } {
        let controller = name.split('.').next().unwrap_or_default();
        if member.has(controller) {
            files::write(&member.folder, &name, &value)
                .or_else(|error| first::settle(member, &name, &value, error))?;
        }
    }
    Ok(())
}

/// v2: groups below `above` get the controllers that are there, as far as its rules allow; those that are needed must be.
pub(crate) fn hand_on(member: &Member, above: &Path, resources: &Resources) -> Result<(), Error> {
    let handed = files::read(above, "cgroup.subtree_control").unwrap_or_default();
    let is_handed = |controller: &str| handed.split_whitespace().any(|known| known == controller);
    // For statistics these are of use without a limit.
    const OF_USE: [&str; 5] = ["memory", "pids", "cpu", "io", "cpuset"];
    for controller in member.controllers.iter().filter(|controller| !is_handed(controller)) {
        let is_needed = touches(controller, resources);
        if !is_needed && !OF_USE.contains(&controller.as_str()) {
            continue;
        }
        let path = above.join("cgroup.subtree_control");
        match fs::write(&path, format!("+{controller}")) {
            Err(source) if is_needed => {
                return Err(Error::NotHandedOn {
                    controller: controller.clone(),
                    path: above.to_owned(),
                    source,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// v1: a group without processors and memory nodes takes no process; it has those of the group above to begin with.
pub(crate) fn inherit_processors(above: &Path, folder: &Path) -> Result<(), Error> {
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let own = files::read(folder, name).unwrap_or_default();
        if own.trim().is_empty()
            && let Some(inherited) = files::read(above, name)
        {
            files::write(folder, name, inherited.trim())?;
        }
    }
    Ok(())
}
