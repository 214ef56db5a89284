//! What a program sees of the host while it runs in a named namespace.
//!
//! `/sys` shows the interfaces of the namespace that mounted it, and programs look for their network
//! configuration in `/etc`. So whoever enters a namespace gets mounts of its own as well: a fresh `/sys`,
//! and every file of `/etc/netns/NAME` in place of its namesake in `/etc`, as iproute2 has it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};

use crate::{Name, Netns, namespace};

const NONE: Option<&str> = None;
const SYS: &str = "/sys";
const ETC: &str = "/etc";
/// Where the files of each name are.
const ETC_NETNS: &str = "/etc/netns";

/// Why the view cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The namespace cannot be entered.
    #[error(transparent)]
    Namespace(#[from] namespace::Error),
    /// The kernel gives us no mounts of our own.
    #[error("make a mount namespace for network namespace {name}")]
    Mounts {
        /// The namespace.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// There is no `/sys` of that namespace.
    #[error("mount /sys of network namespace {name}")]
    Sys {
        /// The namespace.
        name: Name,
        /// What the kernel says.
        source: io::Error,
    },
    /// The files for that namespace cannot be listed.
    #[error("list {}", path.display())]
    Etc {
        /// Their directory.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

/// A file of `/etc/netns/NAME` that could not take the place of its namesake; everything else holds.
#[derive(Debug, thiserror::Error)]
#[error("mount {} over {}", file.display(), target.display())]
pub struct Unmounted {
    /// The file.
    pub file: PathBuf,
    /// The place it was meant for.
    pub target: PathBuf,
    /// What the kernel says; most often that there is no such file in `/etc` to mount it over.
    pub source: io::Error,
}

/// Moves the calling thread into `netns` and gives it the view of `name`, for good: for a process that has
/// one thread and is about to execute another program.
///
/// # Errors
/// [`Error`]; the thread may then be half way and should end.
pub fn enter(netns: &Netns, name: &Name) -> Result<Vec<Unmounted>, Error> {
    netns.enter()?;
    separate_mounts().map_err(|errno| Error::Mounts { name: name.clone(), source: errno.into() })?;
    mount_sys(name).map_err(|errno| Error::Sys { name: name.clone(), source: errno.into() })?;
    mount_etc(&Path::new(ETC_NETNS).join(name))
}

/// Runs `job` in `netns` with the view of `name`, on a thread that is made for it and dies after it.
/// Programs that `job` starts inherit both.
///
/// # Errors
/// [`Error`] when `job` could not be run.
///
/// # Panics
/// When `job` does.
pub fn run<T: Send>(
    netns: &Netns,
    name: &Name,
    job: impl FnOnce(Vec<Unmounted>) -> T + Send,
) -> Result<T, Error> {
    namespace::on_own_thread(|| Ok(job(enter(netns, name)?)))
}

/// Mounts made from here on stay here; those that the host makes still arrive.
fn separate_mounts() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_SLAVE | MsFlags::MS_REC, NONE)
}

fn mount_sys(name: &Name) -> nix::Result<()> {
    // A read-only /sys was made so on purpose (containers), and the kernel refuses to have it covered by a
    // writable one.
    let read_only = statvfs(SYS).is_ok_and(|found| found.flags().contains(FsFlags::ST_RDONLY));
    let flags = if read_only { MsFlags::MS_RDONLY } else { MsFlags::empty() };
    match umount2(SYS, MntFlags::MNT_DETACH) {
        // EINVAL: nothing is mounted there, or it belongs to who made our mount namespace.
        Ok(()) | Err(Errno::EINVAL) => {}
        Err(errno) => return Err(errno),
    }
    mount(Some(name.as_os_str()), SYS, Some("sysfs"), flags, NONE)
}

fn mount_etc(files: &Path) -> Result<Vec<Unmounted>, Error> {
    let failed = |source| Error::Etc { path: files.to_owned(), source };
    let entries = match fs::read_dir(files) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut unmounted = Vec::new();
    for entry in entries {
        unmounted.extend(mount_over(files, &entry.map_err(failed)?.file_name()).err());
    }
    Ok(unmounted)
}

fn mount_over(files: &Path, name: &OsStr) -> Result<(), Unmounted> {
    let (file, target) = (files.join(name), Path::new(ETC).join(name));
    mount(Some(&file), &target, NONE, MsFlags::MS_BIND, NONE).map_err(|errno| Unmounted {
        file,
        target,
        source: errno.into(),
    })
}
