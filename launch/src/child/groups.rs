//! Into the container's control group.

use std::os::fd::AsFd;

use cgroup::Entrance;

use crate::failure::{Outcome, Tried};

/// Moves this process, which the kernel does not make wait when a process of one thread moves itself.
pub(crate) fn enter(entrance: &Entrance) -> Outcome {
    for file in &entrance.files {
        rustix::io::write(file.as_fd(), b"0").tried(|| "enter the container's control group")?;
    }
    Ok(())
}
