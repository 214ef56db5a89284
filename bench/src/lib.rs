//! Side by side with the peers: the same work by our plugins and by the reference's, or by netavark, alternately.
//!
//! Everything is measured from outside, as a container runtime would see it: a plugin is started, fed and
//! reaped. [`case`] lists what is measured, [`report`] how it is shown; `docs/performance.md` says how to
//! read it. Two helper programs belong to this crate: `floor`, which asks the kernel for the same result
//! with the fewest messages, and `meter`, which tells how much memory a program took.

pub mod attachment;
pub mod case;
pub mod container;
pub mod contender;
pub mod crowd;
pub mod first_packet;
pub mod helper;
pub mod lan;
pub mod network;
pub mod plugin;
pub mod ports;
pub mod processes;
pub mod report;
pub mod series;
pub mod settle;
pub mod side;
pub mod site;
pub mod statistics;
pub mod table;
pub mod traffic;
