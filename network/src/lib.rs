//! Named networks: conflists, the chain of plugins, the result cache.
//!
//! This is the runtime's side of the CNI specification. A [`List`] is a network as a conflist describes it,
//! found by name in a [`Folder`]. A [`Runtime`] calls its plugins in order, hands each the result of the one
//! before, takes everything back when one of them fails, and keeps the last result in a [`Cache`] until DEL.
//!
//! Files and formats are those of libcni: whatever one runtime attached, another can take away.

mod cache;
mod folder;
mod list;
mod lock;
mod runtime;
#[cfg(test)]
mod scratch;

pub use cache::{Cache, CacheError, Entry};
pub use folder::{FileError, Folder, FolderError};
pub use list::{List, ListError, PluginConfig};
pub use lock::{LockError, Locks};
pub use runtime::{Attached, Doing, Error, Errors, Fate, Place, Reason, Request, Runtime, Speaker};
