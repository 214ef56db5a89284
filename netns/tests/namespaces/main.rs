//! Namespaces made, found, entered and deleted, each test in a mount and network namespace of its own.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod directory;
mod nsid;
mod open;
mod sandbox;
