//! One call of a program: its words, environment and stdin, to be made in any place, as often as wanted.

use crate::outcome::Outcome;
use crate::place::Place;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

/// One call of a program: its words, environment and stdin.
///
/// A plugin is called through this; and since a call is a value, the very same can be made once to count
/// the system calls and once for each of them to fail ([`crate::faults`]).
#[derive(Clone, Debug)]
pub struct Call {
    words: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
}

impl Call {
    /// A call of these words, the program first, with nothing on stdin.
    pub fn new<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        Self { words, environment: Vec::new(), stdin: Vec::new() }
    }

    /// With a further word.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_owned());
        self
    }

    /// With a variable added to the environment of the caller.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// With this on stdin.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// The same call with `words` in front of its own: another program that then starts this one.
    #[must_use]
    pub fn under<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Self {
        let mut outer = Self::new(words);
        outer.words.extend(self.words.iter().cloned());
        Self { words: outer.words, ..self.clone() }
    }

    /// Makes the call and waits for its end. A program that cannot be started is an outcome, too.
    pub fn run(&self, place: &impl Place) -> Outcome {
        let mut command = self.command(place);
        let start = Instant::now();
        let ended = feed(&mut command, &self.stdin);
        Outcome::new(self.to_string(), start.elapsed(), ended)
    }

    /// The call as a command that has yet to be given its stdin.
    pub(crate) fn command(&self, place: &impl Place) -> Command {
        let mut words = place.entrance().into_iter().chain(self.words.iter().cloned());
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).env("PATH", search_path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words.join(OsStr::new(" ")).to_string_lossy())
    }
}

/// Whoever became root by a plain `su` may lack the folders of `ip` and `nft`.
fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

fn feed(command: &mut Command, input: &[u8]) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    thread::scope(|scope| {
        // On a thread only when the pipe might fill up while the program waits for us to read.
        // A program that ends without reading has its reasons: its outcome tells, not our broken pipe.
        let write = move || stdin.map(|mut stdin| stdin.write_all(input));
        if input.len() < 4096 {
            let _unread = write();
        } else {
            scope.spawn(write);
        }
        child.wait_with_output()
    })
}
