//! When a container has ended: networks, control group and files are taken down, and everybody is told.

use std::fs::File;

use cgroup::{Group, Hierarchies};

use super::foreign::Runtime;
use super::relay::Relayed;
use super::start::Live;
use super::words;
use crate::files;
use crate::message::Answer;
use crate::networks;
use crate::{Container, Ended, Engine, State, Status, lifecycle, spec};

/// Takes everything down, and tells.
pub(super) fn end(engine: &Engine, container: &Container, live: Live, relayed: Relayed, lock: File) {
    let Relayed { exit, clients, error } = relayed;
    let Live { group, state, listener, netns, .. } = live;
    let mut errors: Vec<String> = error.into_iter().collect();
    let out_of_memory = group.has_run_out_of_memory();
    let failed = networks::leave_all(&engine.catalog, &engine.runtime, container.config());
    errors.extend(failed.iter().map(|error| words(error).join(": ")));
    if let Some(program) = &container.config().runtime {
        Runtime::new(program, container.folder(), container.id()).delete();
    }
    errors.extend(group.remove().err().map(|error| words(&error).join(": ")));
    let ended = Ended {
        code: exit.code(),
        at: crate::now(),
        out_of_memory,
        error: (!errors.is_empty()).then(|| errors.join("; ")),
    };
    // Only now may the kernel take the namespace down: it keeps everybody from changing links while it does.
    drop(netns);
    // What could not be left is still known of, so that the next one who looks can try again.
    let attached = if failed.is_empty() { Vec::new() } else { state.attached };
    let state =
        State { status: Status::Exited, pid: None, monitor: None, ended: Some(ended), attached, ..state };
    if container.config().auto_remove && failed.is_empty() {
        let _ = lifecycle::discard(engine, container);
    } else {
        let _ = files::write(&container.folder().state(), &state);
    }
    drop(listener);
    let _ = container.folder().remove_run();
    // Until now nobody could start it again.
    drop(lock);
    // The last words wait for whoever does not listen, and nothing waits for them.
    for client in clients.0 {
        client.finish(&Answer::Exited(exit.code()));
    }
}

/// Takes down what a start that failed has left; whether all of it is gone.
pub(super) fn take_down_failed(engine: &Engine, container: &Container) -> bool {
    if let Some(program) = &container.config().runtime {
        Runtime::new(program, container.folder(), container.id()).delete();
    }
    let group = Hierarchies::discover()
        .and_then(|hierarchies| Group::at(&hierarchies, &spec::group_path(container.config())).remove());
    let left = networks::leave_all(&engine.catalog, &engine.runtime, container.config());
    let folder = container.folder().remove_run();
    group.is_ok() && left.is_empty() && folder.is_ok()
}
