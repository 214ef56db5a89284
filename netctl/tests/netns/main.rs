//! `netctl netns` beside `ip netns`, on private hosts.

mod exec;
mod faults;
mod names;
mod numbers;
mod processes;
mod refusals;

use lab::{Call, Host, Outcome, Place};

type Test = Result<(), Box<dyn std::error::Error>>;

/// A private host with both programs.
struct Machine(Host);

impl Machine {
    fn new(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self(Host::new(name)?))
    }

    /// Runs `netctl netns` with these words.
    fn netctl(&self, words: &str) -> Outcome {
        call(words).run(&self.0)
    }

    /// Runs `ip` with these words.
    fn ip(&self, words: &str) -> Outcome {
        self.0.run(["ip"].into_iter().chain(words.split_whitespace()))
    }

    /// Runs a script in which `netctl` and `ip` are found.
    fn sh(&self, script: &str) -> Outcome {
        let folder = std::path::Path::new(NETCTL).parent().unwrap_or(std::path::Path::new("/"));
        self.0.sh(&format!("PATH={}:$PATH; {script}", folder.display()))
    }
}

const NETCTL: &str = env!("CARGO_BIN_EXE_netctl");

/// `netctl netns` with these words.
fn call(words: &str) -> Call {
    Call::new([NETCTL, "netns"].into_iter().chain(words.split_whitespace()))
}

/// The lines of a text in alphabetical order: `ip` prints names as the file system finds them.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}
