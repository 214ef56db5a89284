//! `netctl netns monitor`

use std::fmt;

use netns::Directory;
use netns::monitor::{Event, Watch};
use serde::Serialize;

use crate::output::Output;
use crate::report::{self, Failure};

/// Print every name that is made or deleted, until interrupted
#[derive(Debug, clap::Args)]
#[command(after_help = "With --json it prints one object a line.")]
pub(crate) struct Monitor {}

#[derive(Serialize)]
struct Row {
    event: &'static str,
    name: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.event, self.name)
    }
}

/// The kernel forgot something; the list on the screen is not complete.
#[derive(Debug, thiserror::Error)]
#[error("more happened at once than the kernel remembers: some names are missing here")]
struct Missed;

impl Monitor {
    pub(crate) fn run(self, directory: &Directory, output: &mut Output) -> Result<(), Failure> {
        let watch = Watch::start(directory)?;
        loop {
            for event in watch.wait()? {
                match event {
                    Event::Added(name) => output.event(&Row { event: "add", name: name.to_string() })?,
                    Event::Deleted(name) => output.event(&Row { event: "delete", name: name.to_string() })?,
                    Event::Missed => {
                        report::warning(&Missed, Some("`netctl netns list` shows what is there"))
                    }
                }
            }
        }
    }
}
