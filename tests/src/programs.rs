//! Our own programs, and the reference's.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// Where Debian's package `containernetworking-plugins` puts the reference plugins.
pub const REFERENCE: &str = "/usr/lib/cni";

/// A program is not there.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it all")]
pub enum Error {
    #[error("find {program} beside {}: run `cargo build --workspace` first", running.display())]
    NotBuilt { program: &'static str, running: PathBuf },
    #[error("find the running program")]
    Running(#[source] io::Error),
}

/// Finds one of our programs: cargo puts it beside the tests, or a folder above them.
///
/// # Errors
/// [`Error::NotBuilt`] tells what to do.
pub fn find(program: &'static str) -> Result<PathBuf, Error> {
    let running = env::current_exe().map_err(Error::Running)?;
    let folders = running.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or(Error::NotBuilt { program, running })
}

/// A plugin of the reference; when it is absent, says and counts that a test is skipped.
#[must_use]
pub fn reference(plugin: &str) -> Option<PathBuf> {
    let file = Path::new(REFERENCE).join(plugin);
    if file.is_file() {
        return Some(file);
    }
    // Says which package would help.
    lab::tools::require(plugin).filter(|found| found.starts_with(REFERENCE))
}
