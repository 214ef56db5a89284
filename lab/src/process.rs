//! Processes of the machine that we have made, by number.
//!
//! A number is only good while its owner has not been asked for its end: afterwards it may be anybody's.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::process::Child;

/// The children of a child of ours that is still running, as the kernel lists them.
pub(crate) fn children(of: &mut Child) -> Vec<Pid> {
    if !matches!(of.try_wait(), Ok(None)) {
        return Vec::new();
    }
    let path = format!("/proc/{0}/task/{0}/children", of.id());
    let numbers = fs::read_to_string(path).unwrap_or_default();
    numbers.split_whitespace().filter_map(|number| number.parse().ok().map(Pid::from_raw)).collect()
}

/// The name of the program that a child of ours runs now.
pub(crate) fn program(of: &Child) -> Option<String> {
    fs::read_to_string(format!("/proc/{}/comm", of.id())).ok().map(|name| name.trim().to_owned())
}

/// Kills the child of a child of ours. It is one as long as its parent has not been asked for its end; one
/// that has just ended by itself is fine.
pub(crate) fn kill_grandchild(pid: Pid) {
    let _gone = kill(pid, Signal::SIGKILL);
}
