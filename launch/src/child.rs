//! The child's side: from a copy of its parent to the container's program, step by step.

mod closed;
mod credentials;
mod devices;
mod execute;
mod groups;
mod mounts;
mod names;
mod reaper;
mod root;
mod target;
mod terminal;

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use oci::NamespaceKind;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub(crate) use credentials::{Credentials, become_user, before_filter};
pub(crate) use execute::Program;
pub(crate) use groups::enter as enter_groups;
pub(crate) use names::set_oom_score;
pub(crate) use root::mount_root;
pub(crate) use terminal::{Terminal, control, open as open_terminal, use_files};

use crate::failure::{Failure, Outcome, Tried};
use crate::sync::End;
use crate::{Launch, Streams, sys};

/// A namespace that is joined.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) file: OwnedFd,
    pub(crate) flag: libc::c_int,
    pub(crate) path: PathBuf,
}

/// Becomes the container's first process. Never returns: whatever cannot be done is told by `sync`.
pub(crate) fn run(launch: Launch<'_>, joined: &[Joined], sync: &End) -> ! {
    let failure = match prepare_and_execute(launch, joined, sync) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    sync.send_failure(&failure);
    sys::exit(i32::from(crate::Error::from(failure).exit_code()))
}

/// What a function returns that does not return when all goes well.
pub(crate) enum Never {}

fn prepare_and_execute(launch: Launch<'_>, joined: &[Joined], sync: &End) -> Outcome<Never> {
    let Launch { spec, root, streams, entrance, filter, init } = launch;
    let process = &spec.process;
    die_with_parent()?;
    sys::reset_signals();
    hide_from_the_container()?;
    rustix::process::setsid().tried(|| "begin a session")?;
    if let Some(entrance) = &entrance {
        enter_groups(entrance)?;
    }
    let makes = |kind| spec.linux.namespaces.iter().any(|space| space.kind == kind && space.path.is_none());
    if makes(NamespaceKind::Cgroup) {
        sys::unshare(libc::CLONE_NEWCGROUP).tried(|| "create a cgroup namespace")?;
    }
    join(joined)?;
    names::set(spec)?;
    let settings = names::Settings::open(spec)?;

    let sources = mounts::Sources::open(&spec.mounts, entrance.as_ref())?;
    let cover = closed::Cover::open(&spec.linux)?;
    set_oom_score(process)?;
    root::enter(spec, root)?;
    mounts::mount_all(&spec.mounts, sources)?;
    devices::create_all(spec)?;
    let master = match streams {
        Streams::Terminal { size } => {
            let Terminal { slave, master } = open_terminal(size)?;
            devices::create_console(&slave)?;
            control(&slave)?;
            Some(master)
        }
        Streams::Files { stdin, stdout, stderr } => {
            use_files(stdin.as_fd(), stdout.as_fd(), stderr.as_fd())?;
            None
        }
    };
    closed::close_all(&spec.linux, cover)?;
    // The working directory is made if it is missing, which nobody can in a sealed root.
    Program::working_directory(process)?;
    root::seal(spec)?;
    let program = Program::new(process)?;
    let credentials = Credentials::new(process, filter)?;
    // Whoever takes over the terminal's master has the only copy: the container's program would hold it open else.
    sync.send_ready(master).tried(|| "tell that the container is prepared")?;
    if !sync.wait_for_go().tried(|| "wait for the word to go on")? {
        sys::exit(125);
    }
    settings.write()?;
    before_filter(&credentials)?;
    become_user(&credentials)?;
    // The change of user has cleared it.
    die_with_parent()?;
    if init { reaper::stand_before(&program) } else { program.execute() }
}

/// The container ends with whoever keeps it.
pub(crate) fn die_with_parent() -> Outcome {
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal)
        .tried(|| "tie the container's life to its monitor's")
}

/// Until it executes its program, this process has files of the host open, and its memory.
pub(crate) fn hide_from_the_container() -> Outcome {
    let hidden = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    hidden.tried(|| "hide from other processes")
}

fn join(joined: &[Joined]) -> Outcome {
    for Joined { file, flag, path } in joined {
        let kind = match *flag {
            libc::CLONE_NEWNET => LinkNameSpaceType::Network,
            libc::CLONE_NEWUTS => LinkNameSpaceType::HostNameAndNISDomainName,
            libc::CLONE_NEWIPC => LinkNameSpaceType::InterProcessCommunication,
            libc::CLONE_NEWCGROUP => LinkNameSpaceType::ControlGroup,
            libc::CLONE_NEWTIME => LinkNameSpaceType::Time,
            libc::CLONE_NEWNS => LinkNameSpaceType::Mount,
            _ => {
                let what = format!("join {}: not a kind that a new container can join", path.display());
                return Err(Failure::new(what, rustix::io::Errno::INVAL));
            }
        };
        move_into_link_name_space(file.as_fd(), Some(kind))
            .tried(|| format!("join namespace {}", path.display()))?;
    }
    Ok(())
}
