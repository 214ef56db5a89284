//! What becomes of this process when a plugin has done its verb.

use cni::Call;
use netlink::reaper::Caller;

/// Whether somebody executed the plugin for this one call, or runs it in process and lives on: the child that is left with
/// the kernel's waits must then not remain as a zombie.
#[must_use]
pub fn caller(call: &Call) -> Caller {
    if call.registry.serves_one_call() { Caller::Exits } else { Caller::LivesOn }
}
