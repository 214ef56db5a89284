//! What is asked of a container's monitor.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use cgroup::{Group, Hierarchies, Usage};
use launch::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::error::AskError;
use crate::message::{self, Answer, Request};
use crate::{Connection, Container, Ended, Engine, Interest, Status, rendezvous, spec};

/// How long the kernel has to end a container that was killed.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a container has to end when it is asked to, if nobody says otherwise.
const GRACE: u32 = 10;

impl Engine {
    /// Sends a signal to a container's first process.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn kill(&self, container: &Container, signal: Signal) -> Result<(), AskError> {
        self.ask(container, &Request::Signal(signal.number()))
    }

    /// Holds all processes of a container.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn pause(&self, container: &Container) -> Result<(), AskError> {
        match self.state(container)?.status {
            Status::Paused => Err(AskError::Paused(container.name().clone())),
            _ => self.ask(container, &Request::Pause),
        }
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn unpause(&self, container: &Container) -> Result<(), AskError> {
        match self.state(container)?.status {
            Status::Running => Err(AskError::NotPaused(container.name().clone())),
            _ => self.ask(container, &Request::Unpause),
        }
    }

    /// Asks a container to end, and kills it if it does not in time: nothing is what it was created with, or 10 s. One
    /// that does not run is fine.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn stop(&self, container: &Container, grace: Option<Duration>) -> Result<(), AskError> {
        let program = &container.config().program;
        let status = self.state(container)?.status;
        if matches!(status, Status::Created | Status::Exited) {
            return Ok(());
        }
        let Some(socket) = self.talk(container)? else { return Ok(()) };
        let failed = |source| AskError::Talk { name: container.name().clone(), source };
        if status == Status::Paused {
            say(&socket, &Request::Unpause).map_err(failed)?;
        }
        let asked = program.stop_signal.and_then(Signal::new).unwrap_or(Signal::TERM);
        say(&socket, &Request::Signal(asked.number())).map_err(failed)?;
        let grace =
            grace.unwrap_or_else(|| Duration::from_secs(program.stop_timeout.unwrap_or(GRACE).into()));
        if has_ended(&socket, grace).map_err(failed)? {
            return Ok(());
        }
        say(&socket, &Request::Signal(Signal::KILL.number())).map_err(failed)?;
        match has_ended(&socket, PATIENCE).map_err(failed)? {
            true => Ok(()),
            false => Err(AskError::DoesNotEnd(container.name().clone())),
        }
    }

    /// Waits until a container has ended; one that does not run has. Nothing, if it was removed meanwhile and nobody knows.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn wait(&self, container: &Container) -> Result<Option<u8>, AskError> {
        let state = match self.state(container) {
            Err(AskError::File(error)) if error.is_absence() => return Ok(None),
            state => state?,
        };
        let code = |ended: Option<Ended>| ended.map(|ended| ended.code);
        if matches!(state.status, Status::Created | Status::Exited) {
            return Ok(code(state.ended));
        }
        if let Some(socket) = self.talk(container)? {
            loop {
                match hear(&socket) {
                    Ok(Some(Answer::Exited(code))) => return Ok(Some(code)),
                    Ok(Some(_)) => {}
                    // It was killed: whoever looks now finishes for it.
                    Ok(None) => break,
                    Err(source) => return Err(AskError::Talk { name: container.name().clone(), source }),
                }
            }
        }
        match self.state(container) {
            Err(AskError::File(error)) if error.is_absence() => Ok(None),
            state => Ok(code(state?.ended)),
        }
    }

    /// Attaches to a container that runs.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn attach(&self, container: &Container, interest: Interest) -> Result<Connection, AskError> {
        let socket = self.running(container)?;
        let failed = |source| AskError::Talk { name: container.name().clone(), source };
        say(&socket, &Request::Attach(interest)).map_err(failed)?;
        Ok(Connection::new(socket, interest, container.config().program.tty))
    }

    /// The processes of a container, as the host counts.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn processes(&self, container: &Container) -> Result<Vec<i32>, AskError> {
        Ok(self.group(container)?.processes())
    }

    /// What a container uses.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn usage(&self, container: &Container) -> Result<Usage, AskError> {
        Ok(self.group(container)?.usage())
    }

    fn group(&self, container: &Container) -> Result<Group, AskError> {
        match self.state(container)?.status {
            Status::Running | Status::Paused => {
                Ok(Group::at(&Hierarchies::discover()?, &spec::group_path(container.config())))
            }
            _ => Err(AskError::NotRunning(container.name().clone())),
        }
    }

    /// Asks for one thing, and waits for the answer.
    fn ask(&self, container: &Container, request: &Request) -> Result<(), AskError> {
        let socket = self.running(container)?;
        let failed = |source| AskError::Talk { name: container.name().clone(), source };
        say(&socket, request).map_err(failed)?;
        loop {
            match hear(&socket).map_err(failed)? {
                Some(Answer::Done(None)) => return Ok(()),
                Some(Answer::Done(Some(said))) => {
                    return Err(AskError::Refused { name: container.name().clone(), said });
                }
                // It ended before it answered: that is what a signal is for.
                Some(Answer::Exited(_)) | None => return Ok(()),
                Some(_) => {}
            }
        }
    }

    fn running(&self, container: &Container) -> Result<OwnedFd, AskError> {
        let not_running = || AskError::NotRunning(container.name().clone());
        match self.state(container)?.status {
            Status::Created | Status::Exited => Err(not_running()),
            _ => self.talk(container)?.ok_or_else(not_running),
        }
    }

    /// A conversation with a container's monitor; nothing, if it has none any more.
    fn talk(&self, container: &Container) -> Result<Option<OwnedFd>, AskError> {
        let found = rendezvous::find(&container.folder().socket());
        let found = found.map_err(|source| AskError::Talk { name: container.name().clone(), source })?;
        if found.is_none() && super::has_monitor(container.folder())? {
            // It is about to listen, or has just stopped doing so.
            for _ in 0..500 {
                std::thread::sleep(Duration::from_millis(2));
                match rendezvous::find(&container.folder().socket()) {
                    Ok(None) if super::has_monitor(container.folder())? => {}
                    found => {
                        return found
                            .map_err(|source| AskError::Talk { name: container.name().clone(), source });
                    }
                }
            }
        }
        Ok(found)
    }
}

fn say(socket: &OwnedFd, request: &Request) -> io::Result<()> {
    match message::send(socket.as_fd(), &request.to_bytes(), true) {
        // It has ended meanwhile; that is heard next.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::ECONNRESET)) => Ok(()),
        sent => sent,
    }
}

fn hear(socket: &OwnedFd) -> io::Result<Option<Answer>> {
    Ok(message::receive(socket.as_fd(), true)?.as_deref().and_then(Answer::from_bytes))
}

/// Whether the container ends within that time; what else is said meanwhile is passed over.
fn has_ended(socket: &OwnedFd, within: Duration) -> io::Result<bool> {
    let until = Instant::now() + within;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut files = [PollFd::new(socket, PollFlags::IN)];
        match poll(&mut files, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => return Ok(false),
            Ok(_) => {}
        }
        if matches!(hear(socket)?, None | Some(Answer::Exited(_))) {
            return Ok(true);
        }
    }
}
