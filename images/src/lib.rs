//! Images on this machine: loaded, checked, unpacked once, named.
//!
//! A [`Store`] is a folder that any number of programs may use at once. [`Store::load`] reads archives, [`Store::build`] makes an
//! image of a root file system or of what a container changed, [`Store::save`] writes an archive that every client reads,
//! [`Store::remove`] takes away. [`Store::lower_dirs`] is what a container is stacked on.
//!
//! What comes from outside is hostile until it is checked: `docs/images.md` says what is, and how much an archive may become.

mod attributes;
mod beneath;
mod build;
mod change;
mod configuration;
mod digest;
mod entries;
mod fault;
mod layout;
mod limits;
mod load;
mod pack;
mod packed;
mod platform;
mod reference;
mod remove;
mod save;
mod spool;
mod staging;
mod store;
mod unpack;

pub use build::{BuildError, Built, Content, Draft};
pub use change::{Change, InvalidChange};
pub use configuration::{Config, Configuration, ExposedPort, InvalidExposedPort, RootFs, Step};
pub use digest::{DiffId, Digest, ImageId, InvalidDigest};
pub use fault::{EntryName, Fault, RefusedEntry};
pub use layout::LayoutError;
pub use limits::{LimitExceeded, Limits};
pub use load::{LoadError, LoadOptions, Loaded, Source};
pub use pack::PackError;
pub use packed::{Compression, UnknownCompression};
pub use platform::{InvalidPlatform, Platform};
pub use reference::{InvalidReference, Reference, ReferenceFault};
pub use remove::{Collected, RemoveError, Removed, Users};
pub use save::SaveError;
pub use store::{Error, Hold, Image, Layer, Store};
