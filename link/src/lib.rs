//! The wiring steps that plugins share: bridge, veth, addresses, routes.
//!
//! A step takes the socket of the namespace that it works in and a value that says what is wanted; what it sends
//! is a pure function of the two. Steps that must see each other's effect follow each other, all others share one
//! request. The order of an ADD is
//!
//! 1. [`bridge::ensure`] and [`bridge::ensure_addresses`] on the host,
//! 2. [`veth::create`] on the host: one request makes both ends, each where it belongs,
//! 3. [`container::configure`] on a thread inside the container's namespace,
//! 4. [`sync::settle`] on the host, then [`container::Configured::wait`]: what was wired up forwards now.
//!
//! Everything that a step made goes when the veth pair goes, but for the bridge.

mod address;
mod alias;
pub mod bridge;
mod caller;
pub mod container;
mod failure;
pub mod inventory;
pub mod loopback;
mod message;
pub mod port;
mod route;
pub mod sandbox;
pub mod sync;
pub mod sysctl;
pub mod turn;
pub mod veth;

pub use alias::Alias;
pub use caller::caller;
pub use failure::code_of;
