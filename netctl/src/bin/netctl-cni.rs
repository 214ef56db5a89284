//! All CNI plugins in one executable: the name it is called by picks the plugin.

use std::process::ExitCode;

use cni::{InProcess, Registry};

fn main() -> ExitCode {
    cni::serve(Registry::new(netctl::PLUGINS, InProcess::SameFile))
}
