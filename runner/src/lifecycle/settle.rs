//! What became of a container, also when its monitor was killed: whoever looks finishes what that one had begun.

use std::fs::{self, File, TryLockError};

use cgroup::{Group, Hierarchies};

use super::error::AskError;
use crate::files::{self, FileError};
use crate::{Container, Ended, Engine, Folder, State, Status, networks, spec};

/// What a container whose monitor was killed ended with: 128 and SIGKILL.
const KILLED: u8 = 137;

/// The life of this machine: random(4).
pub(crate) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// Whether a container has a monitor.
pub(crate) fn has_monitor(folder: &Folder) -> Result<bool, FileError> {
    // A file that is there for others, or not at all: it is not made here.
    match File::open(folder.lock()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(FileError::new("open", &folder.lock())(source)),
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(FileError::new("lock", &folder.lock())(source)),
        },
    }
}

/// Waits for the monitor of a container that has ended: it has written so, and is about to go.
pub(crate) fn wait_for_end(folder: &Folder) -> Result<(), FileError> {
    match File::open(folder.lock()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(FileError::new("open", &folder.lock())(source)),
        Ok(file) => file.lock_shared().map_err(FileError::new("lock", &folder.lock())),
    }
}

impl Engine {
    /// What became of a container. If its monitor was killed, or the machine has been started anew since, what it left is
    /// taken down first.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn state(&self, container: &Container) -> Result<State, AskError> {
        let state = container.written_state()?;
        if !is_open(&state) || has_monitor(container.folder())? {
            return Ok(state);
        }
        let _turn = self.store.turn(container)?;
        self.settle(container)
    }

    /// As [`Engine::state`], for who has the turn.
    pub(crate) fn settle(&self, container: &Container) -> Result<State, AskError> {
        let folder = container.folder();
        let state = container.written_state()?;
        if !is_open(&state) || has_monitor(folder)? {
            return Ok(state);
        }
        let group = Group::at(&Hierarchies::discover()?, &spec::group_path(container.config()));
        group.remove()?;
        let failed = networks::leave_all(&self.catalog, &self.runtime, container.config());
        if let Some(error) = failed.into_iter().next() {
            return Err(error.into());
        }
        let state = match state.status {
            // It had ended, and only a network was left to leave.
            Status::Exited | Status::Created => State { attached: Vec::new(), ..state },
            _ => {
                let error = match state.boot == boot_id() {
                    true => "its monitor was killed",
                    false => "the machine was started anew",
                };
                let ended = Ended {
                    code: KILLED,
                    at: crate::now(),
                    out_of_memory: false,
                    error: Some(error.to_owned()),
                };
                State {
                    status: Status::Exited,
                    pid: None,
                    monitor: None,
                    ended: Some(ended),
                    attached: Vec::new(),
                    ..state
                }
            }
        };
        files::write(&folder.state(), &state)?;
        folder.remove_run()?;
        Ok(state)
    }

    /// Finishes what killed monitors left, of all containers, and removes those that were to be removed at their end. The
    /// names of those it concerned, and what could not be done.
    ///
    /// # Errors
    /// [`FileError`] of the folder of containers.
    pub fn sweep(&self) -> Result<(Vec<String>, Vec<AskError>), FileError> {
        self.store.sweep()?;
        let (mut finished, mut failed) = (Vec::new(), Vec::new());
        for id in self.store.ids()? {
            let Ok(Some(container)) = self.store.get(&id) else { continue };
            match self.sweep_one(&container) {
                Ok(false) => {}
                Ok(true) => finished.push(container.name().to_string()),
                Err(error) => failed.push(error),
            }
        }
        Ok((finished, failed))
    }

    fn sweep_one(&self, container: &Container) -> Result<bool, AskError> {
        let before = container.written_state()?;
        if has_monitor(container.folder())? {
            return Ok(false);
        }
        let state = self.state(container)?;
        if container.config().auto_remove && state.status == Status::Exited {
            super::remove_ended(self, container)?;
            return Ok(true);
        }
        Ok(before != state)
    }
}

/// Whether something of a container is to be taken down yet.
fn is_open(state: &State) -> bool {
    matches!(state.status, Status::Starting | Status::Running | Status::Paused) || !state.attached.is_empty()
}
