//! The networks of a host by name: made, found, described, joined, removed.
//!
//! A [`Catalog`] has the networks that conflists in a folder describe, whoever wrote them, and the three that every
//! host has. A [`Wish`] becomes a [`Design`] by the facts of the host, without anything being touched, and a design a
//! conflist that other runtimes read as well. [`Sandbox`] is whom a person means by a word; it joins and leaves
//! networks through the plugins of a [`network::Runtime`], and is a [`Member`] meanwhile.

mod builtin;
mod catalog;
#[cfg(test)]
mod chance;
mod create;
mod design;
mod draft;
mod ended;
mod facts;
mod forget;
mod id;
mod join;
mod leases;
mod leave;
mod listed;
mod member;
mod nearest;
mod pool;
mod retire;
#[cfg(test)]
mod sample;
mod taken;
mod target;
mod turn;
mod unfinished;
mod view;
mod wish;

pub use builtin::{BRIDGE, BuiltInError, HOST, NONE};
pub use catalog::{Catalog, CatalogError, Listing, Network, Origin, Places};
pub use create::{CreateError, Created};
pub use design::{Design, DesignError, Known, SubnetPlan, Surroundings};
pub use draft::WriteError;
pub use facts::{HostFacts, LinkFact, Uplink};
pub use forget::ForgetError;
pub use id::NetworkId;
pub use join::{JoinError, Joined, Joining, declares, ensure_loopback};
pub use leases::Filling;
pub use leave::LeaveError;
pub use member::Member;
pub use retire::{Members, RetireError};
pub use taken::{By, Taken};
pub use target::{Sandbox, TargetError, Whereabouts};
pub use unfinished::NoteError;
pub use view::{Subnet, View};
pub use wish::{Driver, GatewayMode, OptionError, Options, UnknownDriver, Wish};
