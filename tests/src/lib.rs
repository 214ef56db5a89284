//! Whole programs in fresh namespaces.
//!
//! A [`Stage`] is a host of its own with a [`PluginFolder`]; a [`Call`] is one call of a plugin on it, and an
//! [`Answer`] is what the plugin said, held against the protocol before anybody reads it. [`facts`] asks
//! `ip` what really is there, [`leftovers`] what a host keeps that it should not.
//! [`clients`] brings podman and containerd onto such a host.
//!
//! The programs are those that cargo has put beside the tests: run `cargo build --workspace` first.

pub mod answer;
pub mod call;
pub mod chain;
pub mod clients;
pub mod config;
pub mod disturb;
pub mod disturbed_line;
pub mod facts;
pub mod folder;
pub mod leftovers;
pub mod line;
pub mod programs;
pub mod stage;
pub mod surprise;

pub use answer::Answer;
pub use call::Call;
pub use chain::Chain;
pub use folder::PluginFolder;
pub use leftovers::{Allowed, Before};
pub use stage::{Container, Stage};
pub use surprise::Surprise;

/// What a test returns: whatever goes wrong on the way is told in full.
pub type Test = Result<(), Box<dyn std::error::Error>>;
