//! Starting a container: its monitor is started, and tells.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::error::{AskError, Told};
use crate::message::{self, Answer, Request};
use crate::{Connection, Container, Engine, Interest, Status};

/// The name by which this program is executed to be a monitor.
pub const MONITOR: &str = "netctl-monitor";

/// A container that was started.
#[derive(Debug)]
pub struct Started {
    /// What people had better know.
    pub notes: Vec<String>,
    /// What it prints, from the first byte on.
    pub connection: Connection,
}

impl Engine {
    /// Starts a container. Its monitor finds everything by `environment`, as this process did.
    ///
    /// # Errors
    /// [`AskError`]; it does not run then.
    pub fn start(
        &self,
        container: &Container,
        interest: Interest,
        environment: &[(&str, OsString)],
    ) -> Result<Started, AskError> {
        let _turn = self.store.turn(container)?;
        match self.settle(container)?.status {
            Status::Created | Status::Exited => super::wait_for_end(container.folder())?,
            _ => return Err(AskError::Running(container.name().clone())),
        }
        let monitor = |source| AskError::Monitor { name: container.name().clone(), source };
        let (control, other) = message::pair().map_err(monitor)?;
        message::send(control.as_fd(), &Request::Attach(interest).to_bytes(), true).map_err(monitor)?;
        spawn(container, other, environment).map_err(monitor)?;
        let mut notes = Vec::new();
        loop {
            let packet = message::receive(control.as_fd(), true).map_err(monitor)?;
            match packet.as_deref().and_then(Answer::from_bytes) {
                Some(Answer::Note(note)) => notes.push(note),
                Some(Answer::Started) => {
                    let connection = Connection::new(control, interest, container.config().program.tty);
                    return Ok(Started { notes, connection });
                }
                Some(Answer::Failed { code, words, hint }) => {
                    let source = Told::new(&words);
                    return Err(AskError::Start { name: container.name().clone(), code, source, hint });
                }
                Some(_) => {}
                None => {
                    let words = ["its monitor ended without a word".to_owned()];
                    let source = Told::new(&words);
                    return Err(AskError::Start {
                        name: container.name().clone(),
                        code: 125,
                        source,
                        hint: None,
                    });
                }
            }
        }
    }
}

/// Executes this program anew: nothing of this process's memory is the monitor's, and nobody can write to its file by way of
/// the container.
fn spawn(container: &Container, control: OwnedFd, environment: &[(&str, OsString)]) -> io::Result<()> {
    let program = launch::sealed_program()?;
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    command
        .arg0(MONITOR)
        .arg(container.id().as_str())
        .stdin(control)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.envs(environment.iter().map(|(name, value)| (name, value))).current_dir("/");
    // It outlives this process, whose children are the business of whoever comes after.
    command.spawn().map(drop)
}
