//! Removing containers.

use launch::Signal;

use super::error::{AskError, RemoveError};
use crate::{Container, Engine, Mode, Status};

impl Engine {
    /// Removes a container; with `force` one that runs, too.
    ///
    /// # Errors
    /// [`RemoveError`].
    pub fn remove(&self, container: &Container, force: bool) -> Result<(), RemoveError> {
        let state = self.state(container)?;
        let runs = matches!(state.status, Status::Starting | Status::Running | Status::Paused);
        if runs && !force {
            return Err(RemoveError::Running(container.name().clone()));
        }
        if runs {
            let users = self.users(container)?;
            if !users.is_empty() {
                return Err(RemoveError::Shared { name: container.name().clone(), users });
            }
            match self.kill(container, Signal::KILL) {
                // It has just ended by itself, or its monitor has been killed.
                Ok(()) | Err(AskError::NotRunning(_)) => {}
                Err(error) => return Err(error.into()),
            }
            self.wait(container)?;
        }
        Ok(remove_ended(self, container)?)
    }

    /// The containers that live in the network namespace of another one now.
    fn users(&self, of: &Container) -> Result<Vec<String>, AskError> {
        let mut users = Vec::new();
        for container in self.store.list()?.0 {
            let shares = matches!(&container.config().mode, Mode::Container(id) if id == of.id());
            if shares && matches!(self.state(&container)?.status, Status::Running | Status::Paused) {
                users.push(format!("container {}", container.name()));
            }
        }
        Ok(users)
    }
}

/// Removes a container that has ended; one that is gone is fine, and one that runs again meanwhile stays.
pub(crate) fn remove_ended(engine: &Engine, container: &Container) -> Result<(), AskError> {
    if !container.folder().path().is_dir() {
        return Ok(());
    }
    let _turn = engine.store.turn(container)?;
    match container.written_state()?.status {
        Status::Created | Status::Exited => super::wait_for_end(container.folder())?,
        _ if super::has_monitor(container.folder())? => {
            return Err(AskError::Running(container.name().clone()));
        }
        _ => {}
    }
    engine.settle(container)?;
    Ok(engine.store.remove(container)?)
}

/// Removes the files of a container of which everything else has just been taken down by its own monitor.
pub(crate) fn discard(engine: &Engine, container: &Container) -> Result<(), AskError> {
    let _turn = engine.store.turn(container)?;
    Ok(engine.store.remove(container)?)
}
