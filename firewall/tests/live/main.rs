//! The kernel's own ruleset in fresh namespaces, its listings, and the packets that pass or do not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod forward;
mod iptables;
mod masquerade;
mod passage;
mod ruleset;
mod spoof;
mod support;
