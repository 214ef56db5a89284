//! The kernel's own ruleset in fresh namespaces, its listings, and the packets that pass or do not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod conntrack;
mod ends;
mod forward;
mod iptables;
mod masquerade;
mod passage;
mod policy;
mod ports;
mod publish;
mod ruleset;
mod spoof;
mod support;
