//! Open, make, enter and list network namespaces.
//!
//! A namespace belongs to a thread, not to a process. [`Netns::run`] therefore starts a thread, moves
//! that thread and lets it die: nobody else's thread is ever moved, so there is nothing to put back.
//!
//! Named namespaces are those of iproute2: files in [`Directory`], by default `/run/netns`, on which a
//! namespace is mounted. Either program sees, uses and deletes what the other made.

pub mod directory;
mod kind;
pub mod monitor;
mod name;
mod namespace;
pub mod nsid;
pub mod path;
pub mod process;
pub mod view;

pub use directory::Directory;
pub use kind::Kind;
pub use name::{InvalidName, Name};
pub use namespace::{Error, Identity, Netns};
