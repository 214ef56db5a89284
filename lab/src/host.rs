//! A private host: a process tree in fresh network, mount, pid, uts and ipc namespaces.
//!
//! It is made by util-linux' `unshare` and a shell script (`host/init.sh`), which every Debian has and which
//! needs no code of ours to be found at run time. The script then stays as the first process of the pid
//! namespace, and the kernel ends everything inside with it. It ends when its maker kills it, or when the
//! pipe on its stdin is closed: that happens however the maker dies. (A parent death signal would not do:
//! it is sent when the *thread* ends that made the child, and test threads come and go.)

use crate::control_groups::{self, ControlGroups};
use crate::place::Place;
use crate::process;
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

const INIT: &str = include_str!("host/init.sh");

/// A private host. Dropping it ends every process inside, waits for that, and leaves nothing on the machine.
#[derive(Debug)]
pub struct Host {
    name: String,
    init: Pid,
    unshare: Child,
    control_groups: Option<ControlGroups>,
}

/// A host could not be made.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("start unshare for host {name}")]
    Start { name: String, source: io::Error },
    #[error("make host {name}, which needs root and the right to mount; said: {said:?}")]
    SetUp { name: String, said: String },
}

impl Host {
    /// Makes a host of this name: `lo` is up, forwarding is off, `/etc`, `/opt`, `/usr/local` and `/var/lib`
    /// are the machine's but keep their changes to themselves, and `/run`, `/dev/shm`, `/etc/cni` and
    /// `/var/lib/cni` are empty. `/tmp` is shared with the machine: files pass there.
    ///
    /// Names need not differ: nothing outside the host is called by it.
    ///
    /// # Errors
    /// No root, or a sandbox that forbids to mount a fresh `/proc`.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut unshare = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--"])
            .args(["sh", "-c", INIT, "init.sh", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| Error::Start { name: name.to_owned(), source })?;
        match wait_until_ready(&mut unshare) {
            Some(init) => Ok(Self { name: name.to_owned(), init, unshare, control_groups: None }),
            None => Err(Error::SetUp { name: name.to_owned(), said: last_words(&mut unshare) }),
        }
    }

    /// Gives the host control groups of its own, for those who run whole containers: what they make there would else
    /// stay on the machine, whose groups a host has.
    ///
    /// # Errors
    /// A sandbox without control groups, or with such as cannot be changed.
    pub fn own_control_groups(&mut self) -> Result<(), control_groups::Error> {
        self.control_groups = Some(ControlGroups::of(self)?);
        Ok(())
    }

    /// The name, which is also the host name inside.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number, on the machine, of the host's first process: `/proc/PID/ns/net` is the host's namespace.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.init.as_raw()
    }

    /// A command that runs this very program inside the host, with the same arguments.
    ///
    /// For drivers that measure: inside, they start programs without entering anything
    /// ([`Here`](crate::Here), [`Namespace::find`](crate::Namespace::find)).
    ///
    /// # Errors
    /// The kernel does not tell the path of the running program.
    pub fn reenter(&self) -> io::Result<Command> {
        let mut command = self.command(std::env::current_exe()?);
        command.args(std::env::args_os().skip(1)).env(INSIDE, &self.name);
        Ok(command)
    }

    /// The name of the host in which [`reenter`](Self::reenter) has started this program, if it has.
    #[must_use]
    pub fn inside() -> Option<String> {
        std::env::var(INSIDE).ok()
    }
}

const INSIDE: &str = "LAB_INSIDE";

impl Place for Host {
    fn entrance(&self) -> Vec<OsString> {
        let pid = self.init.to_string();
        ["nsenter", "-t", &pid, "-m", "-n", "-p", "-u", "-i", "--"].iter().map(OsString::from).collect()
    }

    fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.init))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It is a child no more if the host has ended by itself.
        process::children(&mut self.unshare).into_iter().for_each(process::kill_grandchild);
        // The first process is not gone before all others of its namespace are.
        let _reaped = self.unshare.wait();
        // By now there is nobody in its control groups: they go with the fields.
    }
}

/// The host's first process, once everything is in place: the last program that the script starts repeats
/// what we say.
fn wait_until_ready(unshare: &mut Child) -> Option<Pid> {
    unshare.stdin.as_mut()?.write_all(READY.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(unshare.stdout.take()?).read_line(&mut line).ok()?;
    process::children(unshare).first().copied().filter(|_| line == READY)
}

const READY: &str = "ready\n";

fn last_words(unshare: &mut Child) -> String {
    drop(unshare.stdin.take());
    let mut said = String::new();
    // What cannot be read was not said.
    let _read = unshare.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
    let _reaped = unshare.wait();
    said.trim().to_owned()
}
