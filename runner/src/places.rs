//! Where containers are.

use std::path::{Path, PathBuf};

use crate::Id;
use crate::files::{self, FileError};

/// Where containers are: what outlives a reboot, and what does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What outlives a reboot: containers below it, and images.
    pub state_dir: PathBuf,
    /// What dies with the boot: locks and sockets.
    pub run_dir: PathBuf,
}

impl Places {
    /// Where what outlives a reboot is by default.
    pub const STATE_DIR: &'static str = "/var/lib/netctl";

    /// The folder of all containers.
    #[must_use]
    pub fn containers(&self) -> PathBuf {
        self.state_dir.join("containers")
    }

    /// The folder of links from names to containers.
    #[must_use]
    pub(crate) fn names(&self) -> PathBuf {
        self.state_dir.join("names")
    }

    /// The lowest layer of every container that is made of an image: what is mounted over, should the image not have it.
    #[must_use]
    pub(crate) fn mount_points(&self) -> PathBuf {
        self.state_dir.join("mountpoints")
    }

    /// The folder of one container.
    #[must_use]
    pub fn container(&self, id: &Id) -> Folder {
        Folder {
            path: self.containers().join(id.as_str()),
            run: self.run_dir.join("containers").join(id.as_str()),
        }
    }
}

/// The files of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
    run: PathBuf,
}

impl Folder {
    /// What outlives a reboot.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What dies with the boot; there while it has a monitor, or had one that was killed.
    #[must_use]
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// Removes what dies with the boot; nothing there is fine.
    ///
    /// # Errors
    /// [`FileError`]; a root file system that is mounted here yet is not touched.
    pub(crate) fn remove_run(&self) -> Result<(), FileError> {
        let root = self.root();
        // Another runtime has it mounted where we see it. What is in it is the container's.
        let _ = rustix::mount::unmount(&root, rustix::mount::UnmountFlags::DETACH);
        match std::fs::remove_dir(&root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            removed => removed.map_err(FileError::new("remove folder", &root))?,
        }
        files::remove_folder(&self.run)
    }

    /// What was asked of it.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path.join("config.json")
    }

    /// What became of it; there when it has been started.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path.join("state.json")
    }

    /// What it is doing; there while it runs, and gone with the boot as it is.
    #[must_use]
    pub fn live_state(&self) -> PathBuf {
        self.run.join("state.json")
    }

    /// What it printed.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log.json")
    }

    /// What becomes its /etc/hosts.
    #[must_use]
    pub fn hosts(&self) -> PathBuf {
        self.run.join("hosts")
    }

    /// What becomes its /etc/hostname.
    #[must_use]
    pub fn hostname(&self) -> PathBuf {
        self.run.join("hostname")
    }

    /// What becomes its /etc/resolv.conf.
    #[must_use]
    pub fn resolv_conf(&self) -> PathBuf {
        self.run.join("resolv.conf")
    }

    /// What it wrote: the upper layer of overlayfs.
    #[must_use]
    pub fn upper(&self) -> PathBuf {
        self.path.join("upper")
    }

    /// Where overlayfs prepares what is written.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Where its root file system is mounted, seen by those who mount it only.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.run.join("root")
    }

    /// Locked while it has a monitor.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.run.join("lock")
    }

    /// The bundle and the state of another OCI runtime, if that is to start it.
    #[must_use]
    pub(crate) fn foreign(&self) -> PathBuf {
        self.run.join("oci")
    }

    /// Where its monitor listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run.join("attach")
    }

    /// Locked by whoever starts, renames or removes it.
    #[must_use]
    pub(crate) fn turn(&self) -> PathBuf {
        self.path.join("turn")
    }
}
