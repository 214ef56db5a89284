//! Where plugins keep what dies with the boot.

use std::path::PathBuf;

const DEFAULT: &str = "/run/netctl";

/// Moves it, so that tests run side by side.
const VARIABLE: &str = "NETCTL_RUN_DIR";

/// The folder for locks and hints: `/run/netctl`, or what `NETCTL_RUN_DIR` says. It need not exist.
#[must_use]
pub fn run_dir() -> PathBuf {
    let moved = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
    moved.map_or_else(|| PathBuf::from(DEFAULT), PathBuf::from)
}
