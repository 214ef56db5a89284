//! From what was asked for to a program that runs.

use std::fs::{File, TryLockError};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use cgroup::{Group, Hierarchies};
use launch::{Child, Launch, RootFs, Running, Streams};
use seccomp::Program;

use super::StartError;
use super::foreign::{Foreign, Runtime};
use super::streams::{self, Ends};
use crate::files;
use crate::message::{self, Answer};
use crate::networks::{self, Connected};
use crate::spec::{self, Shared, Surroundings};
use crate::{Config, Container, Engine, Folder, Interest, Mode, State, Status, lifecycle, rendezvous};

/// A container that runs.
pub(super) struct Live {
    pub(super) running: Running,
    pub(super) group: Group,
    pub(super) state: State,
    pub(super) ends: Ends,
    pub(super) listener: OwnedFd,
    /// Its network namespace: by the number of this file it leaves networks, though nobody lives in it any more.
    pub(super) netns: Option<File>,
}

/// A container's first process, which waits for the word.
enum Prepared {
    Own(Child),
    Foreign(Foreign),
}

impl Prepared {
    fn pid(&self) -> i32 {
        match self {
            Self::Own(child) => child.pid(),
            Self::Foreign(foreign) => foreign.pid(),
        }
    }

    fn start(self) -> Result<(Running, Option<OwnedFd>), StartError> {
        match self {
            Self::Own(child) => Ok(child.start()?),
            Self::Foreign(foreign) => foreign.start(),
        }
    }
}

/// Makes the first process and its control group: ourselves, or by another runtime.
fn prepare(
    container: &Container,
    spec: &oci::Spec,
    root: RootFs<'_>,
    streams: Streams,
) -> Result<(Prepared, Group), StartError> {
    let (config, folder) = (container.config(), container.folder());
    let (hierarchies, path) = (Hierarchies::discover()?, spec::group_path(config));
    if let Some(program) = &config.runtime {
        let runtime = Runtime::new(program, folder, container.id());
        let foreign = Foreign::create(runtime, folder, spec, root, streams)?;
        return Ok((Prepared::Foreign(foreign), Group::at(&hierarchies, &path)));
    }
    let group = Group::create(&hierarchies, &path, &spec.linux.resources)?;
    let filter = spec.linux.seccomp.as_ref().map(Program::compile).transpose()?;
    let entrance = Some(group.entrance()?);
    let init = config.program.init;
    let child = launch::begin(Launch { spec, root, streams, entrance, filter: filter.as_ref(), init })?;
    Ok((Prepared::Own(child), group))
}

/// As long as this is held, the container has a monitor.
pub(super) fn lock(container: &Container) -> Result<File, StartError> {
    files::ensure_folder(container.folder().run(), 0o700)?;
    let file = files::open_lock(&container.folder().lock())?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Running(container.name().clone())),
        Err(TryLockError::Error(source)) => Err(StartError::io("lock the container")(source)),
    }
}

/// Starts the program. What is made is taken down by the caller when it fails.
pub(super) fn start(
    engine: &Engine,
    container: &Container,
    interest: Interest,
    control: &OwnedFd,
) -> Result<Live, StartError> {
    let (config, folder) = (container.config(), container.folder());
    let mut state = State {
        status: Status::Starting,
        monitor: Some(std::process::id().cast_signed()),
        boot: lifecycle::boot_id(),
        started: Some(crate::now()),
        ..State::default()
    };
    // From here on, whoever finds no monitor cleans up after it.
    files::write(&folder.state(), &state)?;
    make_run_folder(folder)?;
    let shared = shared(engine, config)?;
    let lower = engine.lower(config)?;
    let hostname = networks::hostname(config);
    let around = Surroundings { folder, lower: &lower, hostname: &hostname, shared: shared.as_ref() };
    let spec = spec::spec(config, &around)?;
    let (streams, mut ends) =
        streams::open(config, interest).map_err(StartError::io("open standard streams"))?;
    let (upper, work) = (folder.upper(), folder.work());
    // What a container leaves that is removed at its end need not come through to the disk. The kernel marks such a layer,
    // and would refuse it the next time, should this start fail: nothing is lost then that somebody would miss.
    if config.auto_remove {
        files::remove_folder(&work.join("work/incompat"))?;
    }
    let root = RootFs::Overlay { lower: &lower, upper: &upper, work: &work, volatile: config.auto_remove };
    let (prepared, group) = prepare(container, &spec, root, streams)?;
    // While it mounts, its networks are made.
    let (netns, path) = match netns_of(prepared.pid(), config) {
        Ok(opened) => opened,
        // It may have failed and be dead already: then that is what people need to know.
        Err(error) => return Err(prepared.start().err().unwrap_or(error)),
    };
    let connected = networks::join_all(&engine.catalog, &engine.runtime, config, &path)?;
    state.attached.clone_from(&connected.attached);
    let started = complete(engine, container, &connected, control, prepared);
    let running = match started {
        Ok((running, terminal)) => {
            if let Some(master) = terminal {
                ends.take_terminal(master).map_err(StartError::io("use the container's terminal"))?;
            }
            running
        }
        Err(error) => {
            let _ = networks::leave_all(&engine.catalog, &engine.runtime, config);
            return Err(error);
        }
    };
    let listener =
        rendezvous::open(&folder.socket()).map_err(StartError::io("listen for those who attach"))?;
    state.status = Status::Running;
    state.pid = Some(running.pid());
    files::write(&folder.live_state(), &state)?;
    let _ = message::send(control.as_fd(), &Answer::Started.to_bytes(), true);
    Ok(Live { running, group, state, ends, listener, netns })
}

/// What is there while it runs: where its root is mounted, and the files that tell of networks, mounted while they are empty.
fn make_run_folder(folder: &Folder) -> Result<(), StartError> {
    files::ensure_folder(&folder.root(), 0o755)?;
    for path in [folder.hosts(), folder.hostname(), folder.resolv_conf()] {
        files::remove_file(&path)?;
        files::create_empty(&path, 0o644)?;
    }
    Ok(())
}

/// The files that tell of networks, and then the word to go on.
fn complete(
    engine: &Engine,
    container: &Container,
    connected: &Connected,
    control: &OwnedFd,
    prepared: Prepared,
) -> Result<(Running, Option<OwnedFd>), StartError> {
    let daemon = engine.catalog.daemon().map_err(networks::NetworksError::from)?;
    let notes =
        networks::write_files(container.config(), container.folder(), connected, &daemon, &engine.names)?;
    for note in connected.notes.iter().chain(&notes) {
        let _ = message::send(control.as_fd(), &Answer::Note(note.clone()).to_bytes(), true);
    }
    prepared.start()
}

/// The network namespace that a container's first process has of its own, and a path to it that lasts as long as this process: another
/// container may live in it when that one is gone.
fn netns_of(pid: i32, config: &Config) -> Result<(Option<File>, PathBuf), StartError> {
    if !matches!(config.mode, Mode::Networks(_) | Mode::None) {
        return Ok((None, PathBuf::new()));
    }
    let path = netns::process::path_of(pid.unsigned_abs());
    let file = File::open(path).map_err(StartError::io("open the container's network namespace"))?;
    let path =
        Path::new("/proc").join(std::process::id().to_string()).join("fd").join(file.as_raw_fd().to_string());
    Ok((Some(file), path))
}

/// The container whose namespaces this one shares, if it runs.
fn shared(engine: &Engine, config: &Config) -> Result<Option<Shared>, StartError> {
    let Mode::Container(id) = &config.mode else { return Ok(None) };
    let not_running = |name: String| StartError::NotRunning { name };
    let Some(other) = engine.store.get(id)? else { return Err(not_running(id.short().to_owned())) };
    let state = other.written_state()?;
    let is_alive = lifecycle::has_monitor(other.folder())?;
    match state.pid.filter(|_| is_alive && matches!(state.status, Status::Running | Status::Paused)) {
        Some(pid) => Ok(Some(Shared { pid, folder: other.folder().clone() })),
        None => Err(not_running(other.name().to_string())),
    }
}
