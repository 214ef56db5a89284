//! All CNI plugins in one executable: the name it is called by picks the plugin.

use std::process::ExitCode;

use cni::{InProcess, Registry};
use dlmalloc::GlobalDlmalloc;

/// musl's allocator asks the kernel for each few pages and gives them back at once: forty calls, and as many page faults, in
/// a process that lives for a millisecond.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

fn main() -> ExitCode {
    cni::serve(Registry::new(netctl::PLUGINS, InProcess::SameFile))
}
