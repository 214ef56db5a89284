//! Containers on this machine: what was asked of them, what became of them, and the process that keeps each.

mod as_text;
mod config;
mod id;
mod name;
mod state;

pub use config::{
    AddHost, Config, Host, ImageUse, Limits, Membership, Mode, Names, Ports, Privileges, Program, Source,
    Tmpfs, Ulimit, Volume,
};
pub use id::{Id, InvalidId};
pub use name::{InvalidContainerName, Name};
pub use state::{Attached, Ended, State, Status};
