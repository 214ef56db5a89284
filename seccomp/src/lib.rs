//! Which system calls a container's processes may make: the usual profile, and BPF of any.
//!
//! A rule names system calls; [`Program::compile`] makes of all rules what the kernel runs before each call (seccomp(2)).

mod assemble;
mod compare;
mod docker;
mod names;
mod number;
mod program;
mod tree;

pub use assemble::Instruction;
pub use docker::docker_default;
pub use program::{Error, Program};
