//! A container's networks: what may be asked of which, joining and leaving them, and the files that tell of them.

mod error;
mod files;
mod join;
mod leave;
mod published;
mod rules;
mod word;

pub use error::NetworksError;
pub use files::{Names, hostname, write_files};
pub use join::{Connected, join_all, refuse_twice};
pub use leave::leave_all;
pub use published::{ports_of, shown, summary};
pub use rules::{Asked, RuleError, check};
pub use word::{InvalidWord, Word, is_alias};
