//! Which ports of the host can be published: who has one, and which are free.
//!
//! A port may be taken by another container, in our table or in the reference's iptables chains, or by a process that
//! listens there. [`find_holder`] asks about all three; [`Chooser`] chooses where a person left the host's port open.
//!
//! Among containers the kernel decides (`Firewall::publish`), whatever was asked here before. Against processes there is
//! no such arbiter: one that starts to listen on a published port afterwards gets nothing from outside.

mod choose;
mod holder;
mod reserve;

pub use choose::{Choice, ChooseError, Chooser};
pub use holder::{Error as HolderError, Holder, find_holder};
