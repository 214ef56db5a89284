//! The chain of plugins, verb by verb, with executables that remember how they were called.

// Tests fail by panicking, their helpers too.
#![allow(clippy::unwrap_used)]

mod add;
mod del;
mod fake;
mod gc;
mod own;
mod raise;
