//! One group: the same path in every hierarchy that is used.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Entrance, Error, Hierarchies, Usage, devices, files, limits, usage};

/// How long the kernel has to let go of processes that were killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// One control group.
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) members: Vec<Member>,
}

/// A group's folder in one hierarchy.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) folder: PathBuf,
    /// What the hierarchy's folder is called, among those side by side.
    name: String,
    pub(crate) controllers: Vec<String>,
    pub(crate) is_unified: bool,
    /// Whether v1 has the controller of devices, beside v2.
    pub(crate) is_beside_devices: bool,
}

impl Group {
    /// The group at `path` in every hierarchy of use: relative, such as `netctl/1f2e`. It may be there or not.
    #[must_use]
    pub fn at(hierarchies: &Hierarchies, path: &Path) -> Self {
        let members = hierarchies.0.iter().map(|hierarchy| Member {
            folder: hierarchy.mount.join(path),
            name: hierarchy
                .mount
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            controllers: hierarchy.controllers.clone(),
            is_unified: hierarchy.is_unified,
            is_beside_devices: hierarchies.with("devices").is_some(),
        });
        Self { members: members.collect() }
    }

    /// Makes the group, and puts `resources` in force. One that is there already, and empty, is taken as it is.
    ///
    /// # Errors
    /// [`Error`]; what was made is removed again.
    pub fn create(hierarchies: &Hierarchies, path: &Path, resources: &oci::Resources) -> Result<Self, Error> {
        limits::ensure_possible(hierarchies, resources)?;
        let mut group = Self::at(hierarchies, path);
        group.members.retain(|member| member.is_wanted(resources));
        group.make(hierarchies, path, resources).inspect_err(|_| drop(group.remove()))?;
        Ok(group)
    }

    fn make(&self, hierarchies: &Hierarchies, path: &Path, resources: &oci::Resources) -> Result<(), Error> {
        for member in &self.members {
            let mount = hierarchies.0.iter().find(|one| member.folder.starts_with(&one.mount));
            let mount = mount.map_or(Path::new("/"), |one| one.mount.as_path());
            member.make(mount, path, resources)?;
            limits::set(member, resources)?;
            devices::set(member, &resources.devices)?;
        }
        Ok(())
    }

    /// Changes limits of a group that is there.
    ///
    /// # Errors
    /// [`Error`].
    pub fn update(&self, resources: &oci::Resources) -> Result<(), Error> {
        self.standing().try_for_each(|member| limits::set(member, resources))
    }

    /// What a process needs to enter it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn entrance(&self) -> Result<Entrance, Error> {
        let mut entrance = Entrance::default();
        for member in self.standing() {
            if member.is_unified {
                entrance.unified = Some(open(&member.folder, OFlags::PATH | OFlags::DIRECTORY)?);
            } else {
                entrance.files.push(open(&member.folder.join("tasks"), OFlags::WRONLY)?);
            }
        }
        if !entrance.files.is_empty() {
            entrance.folders =
                self.standing().map(|member| (member.name.clone(), member.folder.clone())).collect();
        }
        Ok(entrance)
    }

    /// Holds all its processes, and returns when they stand still.
    ///
    /// # Errors
    /// [`Error`].
    pub fn freeze(&self) -> Result<(), Error> {
        self.set_frozen(true)
    }

    /// Lets its processes go on.
    ///
    /// # Errors
    /// [`Error`].
    pub fn thaw(&self) -> Result<(), Error> {
        self.set_frozen(false)
    }

    fn set_frozen(&self, frozen: bool) -> Result<(), Error> {
        let member = self.freezer().ok_or(Error::NoController { limit: "pause", controller: "freezer" })?;
        let (name, value, told, wanted) = match (member.is_unified, frozen) {
            (true, true) => ("cgroup.freeze", "1", "cgroup.events", "frozen 1"),
            (true, false) => ("cgroup.freeze", "0", "cgroup.events", "frozen 0"),
            (false, true) => ("freezer.state", "FROZEN", "freezer.state", "FROZEN"),
            (false, false) => ("freezer.state", "THAWED", "freezer.state", "THAWED"),
        };
        files::write(&member.folder, name, value)?;
        let until = Instant::now() + PATIENCE;
        loop {
            let state = files::read(&member.folder, told).unwrap_or_default();
            if state.lines().any(|line| line == wanted) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Error::StillThere {
                    path: member.folder.clone(),
                    pids: files::pids(&member.folder),
                });
            }
            sleep(Duration::from_millis(1));
        }
    }

    fn freezer(&self) -> Option<&Member> {
        let can = |member: &&Member| {
            let file = if member.is_unified { "cgroup.freeze" } else { "freezer.state" };
            member.folder.join(file).exists()
        };
        self.members.iter().find(can)
    }

    /// The processes in it and in groups below, as the host counts; in ascending order.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        let mut pids = Vec::new();
        for member in self.standing() {
            for folder in below(&member.folder) {
                pids.extend(files::pids(&folder));
            }
        }
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Kills all that is in it, frozen or not, and waits until the kernel has let go of it.
    ///
    /// # Errors
    /// [`Error::StillThere`].
    pub fn kill_all(&self) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        let mut pause = Duration::from_micros(50);
        loop {
            for member in self.standing() {
                // Whatever is forked meanwhile is caught too; older kernels have no such file.
                let _ = member.is_unified.then(|| files::write(&member.folder, "cgroup.kill", "1"));
            }
            let pids = self.processes();
            if pids.is_empty() {
                return Ok(());
            }
            for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            // Killed processes of v1 stay frozen until they are let go.
            if let Some(member) = self.freezer().filter(|member| !member.is_unified) {
                let _ = files::write(&member.folder, "freezer.state", "THAWED");
            }
            if Instant::now() > until {
                let path = self.members.first().map(|member| member.folder.clone()).unwrap_or_default();
                return Err(Error::StillThere { path, pids });
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// What it uses and has used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        usage::of(self.standing())
    }

    /// Whether the kernel has killed a process of it for want of memory.
    #[must_use]
    pub fn has_run_out_of_memory(&self) -> bool {
        let killed = |member: &Member| {
            let file = if member.is_unified { "memory.events" } else { "memory.oom_control" };
            files::number_of(&member.folder, file, "oom_kill").unwrap_or_default() > 0
        };
        self.standing().any(killed)
    }

    /// Removes it from every hierarchy, with whatever is in it; it may be gone already.
    ///
    /// # Errors
    /// The first [`Error`]; everything is tried.
    pub fn remove(&self) -> Result<(), Error> {
        let is_there = self.members.iter().any(|member| member.folder.exists());
        if is_there {
            self.kill_all()?;
        }
        let removed = self.members.iter().map(|member| remove_folder(&member.folder)).collect::<Vec<_>>();
        for member in &self.members {
            // The last to leave takes the folder above along; while others are there, it is not empty.
            let _ = member.folder.parent().map(fs::remove_dir);
        }
        removed.into_iter().collect()
    }

    fn standing(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.folder.exists())
    }
}

impl Member {
    pub(crate) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|known| known == controller)
    }

    /// Whether a group is made in this hierarchy: for what is limited, and for pause, statistics and devices always.
    fn is_wanted(&self, resources: &oci::Resources) -> bool {
        const ALWAYS: [&str; 6] = ["devices", "memory", "cpuacct", "pids", "freezer", "blkio"];
        self.is_unified
            || self
                .controllers
                .iter()
                .any(|known| ALWAYS.contains(&known.as_str()) || limits::touches(known, resources))
    }

    /// Makes the folder. Folders above hand on what this one needs.
    fn make(&self, mount: &Path, path: &Path, resources: &oci::Resources) -> Result<(), Error> {
        let mut folder = mount.to_owned();
        let mut above = mount.to_owned();
        for name in path {
            if self.is_unified {
                limits::hand_on(self, &above, resources)?;
            }
            folder.push(name);
            ensure(&above, &folder)?;
            if self.has("cpuset") && !self.is_unified {
                limits::inherit_processors(&above, &folder)?;
            }
            above.clone_from(&folder);
        }
        Ok(())
    }
}

/// Makes a folder, and again the one above it, should somebody else's last group take that along at this moment.
fn ensure(above: &Path, folder: &Path) -> Result<(), Error> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match files::ensure_folder(folder) {
            Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound && attempts < 100 => {
                files::ensure_folder(above)?;
            }
            made => return made,
        }
    }
}

fn open(path: &Path, flags: OFlags) -> Result<OwnedFd, Error> {
    let opened = openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty());
    opened.map_err(|error| Error::file("open", path)(error.into()))
}

/// A group and those below it, the innermost first.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        found.extend(below(&entry.path()));
    }
    found.push(folder.to_owned());
    found
}

fn remove_folder(folder: &Path) -> Result<(), Error> {
    let until = Instant::now() + PATIENCE;
    for folder in below(folder) {
        let mut pause = Duration::from_micros(20);
        loop {
            match fs::remove_dir(&folder) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                // A process that has ended is in its group until the kernel has cleared up after it.
                Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < until => {
                    sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(10));
                }
                Err(error) => return Err(Error::file("remove control group", &folder)(error)),
            }
        }
    }
    Ok(())
}
