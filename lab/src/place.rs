//! Where a program runs: a host, its neighbour, one of its namespaces, or right here.

use crate::background::{self, Background};
use crate::call::Call;
use crate::outcome::{Outcome, Unexpected};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a program runs.
pub trait Place: Sized {
    /// The words in front of a program that make it run here.
    fn entrance(&self) -> Vec<OsString>;

    /// The root of the file tree here, as this process reaches it.
    ///
    /// For reading facts without a process. An absolute symbolic link on the way would lead back to the
    /// machine, so whatever is written goes through [`write_file`](Self::write_file).
    fn root(&self) -> PathBuf;

    /// A command that runs `program` here. It starts in `/`; a working directory must be set from inside.
    ///
    /// Each one costs about a millisecond for entering; what measures shorter times enters once as a whole
    /// ([`Host::reenter`](crate::Host::reenter)). Killing the command does not kill the program, and
    /// may delay the end of the host: use [`background`](Self::background) for what has to be ended before it.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        Call::new([program]).command(self)
    }

    /// Runs these words and waits for their end.
    fn run<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Outcome {
        Call::new(words).run(self)
    }

    /// Runs a shell script that ends at the first command that fails.
    fn sh(&self, script: &str) -> Outcome {
        self.run(["sh", "-ec", script])
    }

    /// Starts a program that runs beside the test until it is dropped.
    ///
    /// # Errors
    /// The program cannot be started.
    fn background<W: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Background, background::Error> {
        Background::start(self, &Call::new(words))
    }

    /// Writes a file and the folders above it.
    ///
    /// # Errors
    /// As `mkdir` and `cat` tell.
    #[track_caller]
    fn write_file(&self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) -> Result<(), Unexpected> {
        let script = r#"mkdir -p "$(dirname "$1")"; cat >"$1""#;
        let call = Call::new(["sh", "-ec", script, "write"]).arg(path.as_ref());
        call.stdin(content).run(self).ok().map(drop)
    }

    /// Reads a text file.
    ///
    /// # Errors
    /// As `cat` tells.
    #[track_caller]
    fn read_file(&self, path: impl AsRef<Path>) -> Result<String, Unexpected> {
        Call::new(["cat", "--"]).arg(path.as_ref()).run(self).ok()
    }
}

/// Right here: where this process already is. For a driver that was started inside a host as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Here;

impl Place for Here {
    fn entrance(&self) -> Vec<OsString> {
        Vec::new()
    }

    fn root(&self) -> PathBuf {
        PathBuf::from("/")
    }
}
