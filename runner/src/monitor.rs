//! The process that keeps a container while it runs: its streams, its log, its exit code, its networks.
//!
//! It is a process of its own, started anew from this program's file, and has one thread. Whoever starts a container hears
//! from it whether that worked, and may stay to see what is printed. It alone writes the container's state while it lives.

mod clients;
mod end;
mod error;
mod foreign;
mod relay;
mod start;
mod streams;

use std::os::fd::OwnedFd;

pub use error::StartError;

use crate::files::{self, FileError};
use crate::message::{self, Answer, Interest, Request};
use crate::{Container, Engine, Id, State};
use std::os::fd::AsFd;

/// Keeps a container from its start to its end. `control` leads to whoever wants it started.
pub fn keep(engine: &Engine, id: &Id, control: OwnedFd) {
    let interest =
        match message::receive(control.as_fd(), true).ok().flatten().as_deref().and_then(Request::from_bytes)
        {
            Some(Request::Attach(interest)) => interest,
            // Whoever wanted it started is gone.
            _ => return,
        };
    if let Err(error) = keep_found(engine, id, &control, interest) {
        let failed = Answer::Failed { code: error.exit_code(), words: words(&error), hint: error.hint() };
        // There may be nobody left to hear it; the state tells as well.
        let _ = message::send(control.as_fd(), &failed.to_bytes(), true);
    }
}

fn keep_found(engine: &Engine, id: &Id, control: &OwnedFd, interest: Interest) -> Result<(), StartError> {
    let container = engine.store.get(id)?.ok_or_else(|| StartError::Gone(id.clone()))?;
    let before = container.written_state()?;
    let lock = start::lock(&container)?;
    let mut live = match start::start(engine, &container, interest, control) {
        Ok(live) => live,
        Err(error) => {
            // What cannot be taken down now is taken down by whoever reads the state.
            if end::take_down_failed(engine, &container) {
                note_failure(&container, before, &error)?;
            }
            return Err(error);
        }
    };
    let control = control.try_clone().map_err(StartError::io("keep the way to whoever started it"))?;
    let relayed = relay::relay(&container, &mut live, (control, interest));
    end::end(engine, &container, live, relayed, lock);
    Ok(())
}

/// The container is as it was, but for the reason.
fn note_failure(container: &Container, before: State, error: &StartError) -> Result<(), FileError> {
    let ended = crate::Ended {
        code: error.exit_code(),
        at: crate::now(),
        out_of_memory: false,
        error: Some(words(error).join(": ")),
    };
    let state = State { ended: Some(ended), pid: None, monitor: None, attached: Vec::new(), ..before };
    files::write(&container.folder().state(), &state)
}

/// What failed, and because of what.
pub(crate) fn words(error: &dyn std::error::Error) -> Vec<String> {
    let mut words = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words
}
