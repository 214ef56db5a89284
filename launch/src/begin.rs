//! The parent's side of a new container.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use oci::NamespaceKind;
use rustix::process::Pid;

use crate::child::{self, Joined};
use crate::running::{self, Running};
use crate::sync::{self, End, Message};
use crate::sys::{self, Side};
use crate::{Error, Launch};

/// The first process of a container, which mounts and prepares, and waits for the word.
///
/// Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: Option<OwnedFd>,
    sync: End,
    ready: bool,
    terminal: Option<OwnedFd>,
}

/// Makes a container's first process, and with it all its namespaces. What it prepares then, it prepares while the
/// caller goes on, for instance with the network of [`Child::pid`].
///
/// # Errors
/// [`Error::Step`] if there is no such process.
pub fn begin(launch: Launch<'_>) -> Result<Child, Error> {
    ensure_one_thread()?;
    let (flags, joined) = namespaces(launch.spec)?;
    let (sync, other) = sync::pair().map_err(|source| Error::step("create a pair of sockets", source))?;
    let group = launch.entrance.as_ref().and_then(|entrance| entrance.unified.as_ref());
    let side = sys::clone(flags, group.map(AsFd::as_fd));
    match side.map_err(|source| Error::step("create the container's first process", source))? {
        Side::Child => {
            drop(sync);
            child::run(launch, &joined, &other)
        }
        Side::Parent(pid, pidfd) => Ok(Child { pid, pidfd: Some(pidfd), sync, ready: false, terminal: None }),
    }
}

impl Child {
    /// Its process id, as the host counts.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Lets it execute its program as soon as it has prepared everything, and waits for that.
    ///
    /// # Errors
    /// [`Error`]; the process is gone then.
    pub fn start(mut self) -> Result<(Running, Option<OwnedFd>), Error> {
        self.sync
            .send_go()
            .map_err(|source| Error::step("tell the container's first process to go on", source))?;
        loop {
            let said = self.sync.receive();
            match said.map_err(|source| Error::step("listen to the container's first process", source))? {
                Message::Ready(terminal) => {
                    self.ready = true;
                    self.terminal = terminal;
                }
                Message::Failed(failure) => return Err(failure.into()),
                Message::Closed => return self.executed(),
            }
        }
    }

    /// What the end of the conversation means: that it runs, or that it died without a word.
    fn executed(mut self) -> Result<(Running, Option<OwnedFd>), Error> {
        let Some(pidfd) = self.pidfd.take() else {
            return Err(Error::step(
                "find the container's first process",
                io::Error::from_raw_os_error(libc::ESRCH),
            ));
        };
        if self.ready {
            return Ok((Running { pid: self.pid, pidfd }, self.terminal.take()));
        }
        let exit = running::wait(pidfd.as_fd());
        Err(Error::Vanished {
            exit: exit.map_err(|source| Error::step("wait for the container's first process", source))?,
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(pidfd) = &self.pidfd {
            let _ = sys::kill_by_descriptor(pidfd.as_fd(), libc::SIGKILL);
            let _ = running::wait(pidfd.as_fd());
        }
    }
}

/// The namespaces that clone3(2) makes, and those that the child joins: open, because it no longer sees their paths.
fn namespaces(spec: &oci::Spec) -> Result<(u64, Vec<Joined>), Error> {
    let (mut flags, mut joined) = (0, Vec::new());
    for namespace in &spec.linux.namespaces {
        match (&namespace.path, flag_of(namespace.kind)) {
            // It would be rooted in the caller's control group: the child makes it when it is in its own.
            (None, libc::CLONE_NEWCGROUP) => {}
            (None, flag) => flags |= u64::from(flag.unsigned_abs()),
            (Some(path), flag) => joined.push(Joined { file: open(path)?, flag, path: path.clone() }),
        }
    }
    Ok((flags, joined))
}

pub(crate) const fn flag_of(kind: NamespaceKind) -> libc::c_int {
    match kind {
        NamespaceKind::Mount => libc::CLONE_NEWNS,
        NamespaceKind::Pid => libc::CLONE_NEWPID,
        NamespaceKind::Network => libc::CLONE_NEWNET,
        NamespaceKind::Uts => libc::CLONE_NEWUTS,
        NamespaceKind::Ipc => libc::CLONE_NEWIPC,
        NamespaceKind::User => libc::CLONE_NEWUSER,
        NamespaceKind::Cgroup => libc::CLONE_NEWCGROUP,
        NamespaceKind::Time => libc::CLONE_NEWTIME,
    }
}

fn open(path: &Path) -> Result<OwnedFd, Error> {
    let file = fs::File::open(path);
    Ok(file.map_err(|source| Error::step(format!("open namespace {}", path.display()), source))?.into())
}

/// A child is a copy of one thread: whatever lock another holds at that moment would be held in it for ever.
pub(crate) fn ensure_one_thread() -> Result<(), Error> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count);
    match threads.map_err(|source| Error::step("count the threads of this process", source))? {
        1 => Ok(()),
        _ => Err(Error::step(
            "create a process beside other threads",
            io::Error::from_raw_os_error(libc::EINVAL),
        )),
    }
}
