//! The back end for configurations that ask for iptables by name.
//!
//! Chains, rules and comments are those of the reference plugins, so that either takes away what the other
//! made. Whether something is there at all is asked of nf_tables by netlink; a program is started once a verb
//! and address family, and only when there is something to do. Only this module starts programs.

pub mod forward;
mod kind;
pub mod masquerade;
mod presence;
pub mod publish;
mod tool;
mod version;

use crate::channel;

pub use forward::{Ingress, IngressPolicy, IptablesForward};
pub use masquerade::{Error, IptablesMasquerade};
pub use publish::{IptablesOptions, IptablesPublication};
pub use tool::{Error as ToolError, find_program, require};
pub use version::Version;

/// The table of iptables that translates addresses.
const NAT: &str = "nat";

/// What went wrong: the program, or the question whether it is needed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The program.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The question.
    #[error(transparent)]
    Nftables(#[from] channel::Error),
}

impl Cause {
    /// A way out, where one is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tool(source) => source.hint(),
            Self::Nftables(source) => source.hint(),
        }
    }
}
