//! Docker's words for networks: the keys of daemon.json, and what they mean.
//!
//! A [`Wish`] holds the keys that say which addresses the default bridge network has; a [`Shorthand`] is what
//! they mean, found consistent. [`DaemonFile`] reads a whole `daemon.json` as far as it speaks of networks.
//! What the keys mean is documented by Docker in the pages
//! [bridge network driver](https://docs.docker.com/engine/network/drivers/bridge/) and
//! [dockerd](https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file). Where Docker starts with
//! a combination that cannot work, or drops a key without a word, it is refused here.

mod daemon;
mod family;
mod name;
mod reserved;
mod shorthand;
mod spelling;
mod wish;

pub use daemon::{
    Beside, DaemonFile, DefaultBridge, Error, Expected, Fault, InvalidPool, Key, Pool, Refusal,
    resolver_option, search_domain,
};
pub use family::Family;
pub use name::bridge_name;
pub use reserved::{Reserved, reserved};
pub use shorthand::Shorthand;
pub use wish::{InvalidWish, Reason, Wish};
