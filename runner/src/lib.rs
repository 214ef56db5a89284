//! Containers on this machine: what was asked of them, what became of them, and the process that keeps each.

mod as_text;
mod clock;
mod config;
mod files;
mod id;
pub mod log;
mod name;
pub mod networks;
mod places;
#[cfg(test)]
mod scratch;
pub mod spec;
mod state;
mod store;

pub use clock::now;
pub use config::{
    AddHost, Config, Host, ImageUse, Limits, Membership, Mode, Names, Ports, Privileges, Program, Source,
    Tmpfs, Ulimit, Volume,
};
pub use files::FileError;
pub use id::{Id, InvalidId};
pub use name::{InvalidContainerName, Name};
pub use places::{Folder, Places};
pub use state::{Attached, Ended, State, Status};
pub use store::{Container, FindError, Store, StoreError};
