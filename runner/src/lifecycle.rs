//! What is done with containers from outside.

mod ask;
mod error;
mod remove;
mod settle;
mod start;

pub use error::{AskError, RemoveError, Told};
pub use start::{MONITOR, Started};

pub(crate) use remove::{discard, remove_ended};
pub(crate) use settle::{boot_id, has_monitor, wait_for_end};
