//! A further program in a container that runs.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use cgroup::{Group, Hierarchies};
use launch::{Exec, Running, Streams};
use rustix::fs::{Mode, OFlags};
use seccomp::Program;

use crate::attach::relay_terminal;
use crate::spec::{self, SpecError, Surroundings};
use crate::{AskError, Container, Engine, LowerError, Name, Status, networks, terminal_size};

/// What is to be executed, and how.
#[derive(Debug, Clone, Default)]
pub struct Execution {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Variables besides those of the container: `NAME=VALUE`.
    pub env: Vec<String>,
    /// Where it starts; nothing is where the container's first program does.
    pub working_dir: Option<String>,
    /// As whom; nothing is as the container's first program.
    pub user: Option<String>,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether it reads what this process reads.
    pub interactive: bool,
    /// Whether it goes on when this process ends, and prints to nobody.
    pub detach: bool,
    /// Whether it may do what root may.
    pub privileged: bool,
}

/// Why nothing is executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The container cannot be asked.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Nothing can come of it while the container's processes are held.
    #[error("execute a program in container {0}: it is paused")]
    Paused(Name),
    /// Something was asked for that cannot be had.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The rules for system calls make no program.
    #[error(transparent)]
    Filter(#[from] seccomp::Error),
    /// Its control group cannot be entered.
    #[error(transparent)]
    Group(#[from] cgroup::Error),
    /// Its image is gone.
    #[error(transparent)]
    Image(#[from] LowerError),
    /// No process came of it.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// This process's own streams.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the kernel says.
        source: io::Error,
    },
}

impl ExecError {
    /// What a shell, and Docker, make of it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Launch(error) => error.exit_code(),
            Self::Ask(_) | Self::Paused(_) => 1,
            _ => 125,
        }
    }

    /// What the person who asked can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ask(error) => error.hint(),
            Self::Paused(name) => Some(format!("`netctl unpause {name}` lets it go on")),
            Self::Spec(error) => error.hint(),
            Self::Group(error) => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Launch(error) => error.hint(),
            Self::Filter(_) | Self::Io { .. } => None,
        }
    }
}

impl Engine {
    /// Executes a program in a container, and gives its exit code when it has ended; at once, if it is detached. Every
    /// further child of this process will be in the container's pid namespace.
    ///
    /// # Errors
    /// [`ExecError`].
    pub fn exec(&self, container: &Container, execution: &Execution) -> Result<u8, ExecError> {
        let state = self.state(container)?;
        let not_running = || AskError::NotRunning(container.name().clone());
        let first = match (state.status, state.pid) {
            (Status::Paused, _) => return Err(ExecError::Paused(container.name().clone())),
            (Status::Running, Some(pid)) => pid,
            _ => return Err(not_running().into()),
        };
        let process = self.process(container, execution)?;
        let is_confined = !execution.privileged
            && !container.config().privileges.privileged
            && !container.config().privileges.seccomp_unconfined;
        let bounding = process.capabilities.as_ref().map(|sets| sets.bounding.clone()).unwrap_or_default();
        let filter =
            is_confined.then(|| Program::compile(&seccomp::docker_default(&bounding))).transpose()?;
        let group = Group::at(&Hierarchies::discover()?, &spec::group_path(container.config()));
        let streams =
            streams(execution).map_err(|source| ExecError::Io { what: "open standard streams", source })?;
        let (running, terminal) = launch::exec(Exec {
            first,
            process: &process,
            streams,
            entrance: Some(group.entrance()?),
            filter: filter.as_ref(),
            outlives_caller: execution.detach,
        })?;
        if execution.detach {
            return Ok(0);
        }
        finish(&running, terminal, execution.interactive)
    }

    fn process(&self, container: &Container, execution: &Execution) -> Result<oci::Process, ExecError> {
        let mut config = container.config().clone();
        config.program.entrypoint.clear();
        config.program.cmd.clone_from(&execution.args);
        config.program.tty = execution.tty;
        config.privileges.privileged |= execution.privileged;
        if let Some(user) = &execution.user {
            config.program.user.clone_from(user);
        }
        if let Some(folder) = &execution.working_dir {
            config.program.working_dir.clone_from(folder);
        }
        for variable in &execution.env {
            let name = variable.split_once('=').map_or(variable.as_str(), |(name, _)| name);
            config.program.env.retain(|other| other.split_once('=').is_none_or(|(other, _)| other != name));
            config.program.env.push(variable.clone());
        }
        let lower: Vec<PathBuf> = self.lower(&config)?;
        let hostname = networks::hostname(&config);
        let around =
            Surroundings { folder: container.folder(), lower: &lower, hostname: &hostname, shared: None };
        Ok(spec::process(&config, &around)?)
    }
}

/// This process's own streams, as far as they are wanted.
fn streams(execution: &Execution) -> io::Result<Streams> {
    if execution.tty {
        return Ok(Streams::Terminal { size: terminal_size() });
    }
    let nothing = || -> io::Result<OwnedFd> {
        Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
    };
    let own = |stream: std::os::fd::BorrowedFd<'_>| stream.try_clone_to_owned();
    if execution.detach {
        return Ok(Streams::Files { stdin: nothing()?, stdout: nothing()?, stderr: nothing()? });
    }
    let stdin = if execution.interactive { own(io::stdin().as_fd())? } else { nothing()? };
    Ok(Streams::Files { stdin, stdout: own(io::stdout().as_fd())?, stderr: own(io::stderr().as_fd())? })
}

fn finish(running: &Running, terminal: Option<OwnedFd>, types: bool) -> Result<u8, ExecError> {
    if let Some(terminal) = terminal {
        let relayed = relay_terminal(&terminal, running, types);
        relayed.map_err(|source| ExecError::Io { what: "hand on what is typed and printed", source })?;
    }
    let exit = running.wait().map_err(|source| ExecError::Io { what: "wait for the program", source })?;
    Ok(exit.code())
}
