//! Containers on this machine: what was asked of them, what became of them, and the process that keeps each.

mod as_text;
mod attach;
mod clock;
mod config;
mod copy;
mod engine;
mod exec;
mod files;
mod id;
mod lifecycle;
pub mod log;
mod message;
pub mod monitor;
mod name;
pub mod networks;
mod places;
mod rendezvous;
#[cfg(test)]
mod scratch;
pub mod spec;
mod state;
mod store;

pub use attach::{Connection, DetachKeys, InvalidKeys, Manner, Outcome, terminal_size};
pub use cgroup::Usage;
pub use clock::now;
pub use config::{
    AddHost, Config, Host, ImageUse, Limits, Membership, Mode, Names, Ports, Privileges, Program, Source,
    Tmpfs, Ulimit, Volume,
};
pub use copy::{CopyError, Side};
pub use engine::{Engine, LowerError};
pub use exec::{ExecError, Execution};
pub use files::FileError;
pub use id::{Id, InvalidId};
pub use lifecycle::{AskError, MONITOR, RemoveError, Started, Told};
pub use message::Interest;
pub use name::{InvalidContainerName, Name};
pub use places::{Folder, Places};
pub use state::{Attached, Ended, State, Status};
pub use store::{Container, FindError, Store, StoreError};
