//! A further process in a container.

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

use crate::begin::ensure_one_thread;
use crate::child::{self, Credentials, Never, Program, Terminal};
use crate::failure::{Outcome, Tried};
use crate::running::{self, Running};
use crate::sync::{self, End, Message};
use crate::sys::{self, Side};
use crate::{Error, Streams};

/// A process that is to run in a container beside its first.
#[derive(Debug)]
pub struct Exec<'a> {
    /// The container's first process, as the host counts.
    pub first: i32,
    /// What is executed, and as whom.
    pub process: &'a oci::Process,
    /// What it reads and writes.
    pub streams: Streams,
    /// The way into the container's control group; nothing leaves it in the caller's.
    pub entrance: Option<cgroup::Entrance>,
    /// What stands before its system calls.
    pub filter: Option<&'a seccomp::Program>,
    /// Whether it lives on when the caller ends.
    pub outlives_caller: bool,
}

/// Starts it, and gives the master of its terminal if it has one. Every further child of the caller will be in the
/// container's pid namespace.
///
/// # Errors
/// [`Error`].
pub fn exec(exec: Exec<'_>) -> Result<(Running, Option<OwnedFd>), Error> {
    ensure_one_thread()?;
    let what = || format!("find the container's first process {}", exec.first);
    let no_process = rustix::io::Errno::SRCH;
    let first = Pid::from_raw(exec.first).ok_or_else(|| Error::step(what(), no_process))?;
    let first = pidfd_open(first, PidfdFlags::empty()).map_err(|source| Error::step(what(), source))?;
    move_into_thread_name_spaces(first.as_fd(), ThreadNameSpaceType::PROCESS_ID)
        .map_err(|source| Error::step("join the container's pid namespace", source))?;
    let (sync, other) = sync::pair().map_err(|source| Error::step("create a pair of sockets", source))?;
    let group = exec.entrance.as_ref().and_then(|entrance| entrance.unified.as_ref());
    match sys::clone(0, group.map(AsFd::as_fd)).map_err(|source| Error::step("create a process", source))? {
        Side::Child => {
            drop(sync);
            run(exec, &first, &other)
        }
        Side::Parent(pid, pidfd) => {
            drop(other);
            started(&sync, Running { pid, pidfd })
        }
    }
}

fn started(sync: &End, running: Running) -> Result<(Running, Option<OwnedFd>), Error> {
    let (mut terminal, mut ready) = (None, false);
    let listened = |source| Error::step("listen to the process that prepares in the container", source);
    loop {
        match sync.receive().map_err(listened)? {
            Message::Ready(master) => (terminal, ready) = (master, true),
            Message::Failed(failure) => {
                let _ = running.wait();
                return Err(failure.into());
            }
            Message::Closed if ready => return Ok((running, terminal)),
            Message::Closed => {
                let exit = running::wait(running.pidfd.as_fd());
                let waited =
                    |source| Error::step("wait for the process that prepares in the container", source);
                return Err(Error::Vanished { exit: exit.map_err(waited)? });
            }
        }
    }
}

fn run(exec: Exec<'_>, first: &OwnedFd, sync: &End) -> ! {
    let failure = match join_and_execute(exec, first, sync) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    sync.send_failure(&failure);
    sys::exit(i32::from(Error::from(failure).exit_code()))
}

fn join_and_execute(exec: Exec<'_>, first: &OwnedFd, sync: &End) -> Outcome<Never> {
    let Exec { process, streams, entrance, filter, outlives_caller, .. } = exec;
    let tie = || if outlives_caller { Ok(()) } else { child::die_with_parent() };
    tie()?;
    sys::reset_signals();
    child::hide_from_the_container()?;
    rustix::process::setsid().tried(|| "begin a session")?;
    if let Some(entrance) = &entrance {
        child::enter_groups(entrance)?;
    }
    child::set_oom_score(process)?;
    let all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::CONTROL_GROUP
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::NETWORK;
    move_into_thread_name_spaces(first.as_fd(), all).tried(|| "join the container's namespaces")?;
    let master = match streams {
        Streams::Terminal { size } => {
            let Terminal { slave, master } = child::open_terminal(size)?;
            child::control(&slave)?;
            Some(master)
        }
        Streams::Files { stdin, stdout, stderr } => {
            child::use_files(stdin.as_fd(), stdout.as_fd(), stderr.as_fd())?;
            None
        }
    };
    let program = Program::new(process)?;
    Program::working_directory(process)?;
    let credentials = Credentials::new(process, filter)?;
    sync.send_ready(master).tried(|| "tell that the process is prepared")?;
    child::before_filter(&credentials)?;
    child::become_user(&credentials)?;
    tie()?;
    program.execute()
}
