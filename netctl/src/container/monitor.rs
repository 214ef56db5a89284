//! This program as the monitor of a container: executed by another name, and without a command line for people.

use std::process::ExitCode;

use runner::{Id, MONITOR, monitor};

use super::place::Place;

/// Keeps the container that the first argument names, if this program is executed by the name of a monitor.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut words = std::env::args();
    if words.next().as_deref() != Some(MONITOR) {
        return None;
    }
    let id = words.next().and_then(|word| Id::new(&word).ok());
    let control = launch::take_control();
    let (Some(id), Ok(control), Ok(place)) = (id, control, Place::of_environment()) else {
        return Some(ExitCode::FAILURE);
    };
    monitor::keep(&place.engine(), &id, control);
    Some(ExitCode::SUCCESS)
}
