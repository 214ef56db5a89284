//! `netctl netns add` and `attach`: two ways to come by a named namespace.

use netns::{Directory, Name, Netns, directory, process};

use super::names;
use crate::report::Failure;

/// Make a new namespace; nothing is in it but a loopback interface that is down
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  netctl netns add blue")]
pub(crate) struct Add {
    /// Call it this
    #[arg(value_parser = names::parser())]
    name: Name,
}

/// Give the namespace of a running process a name
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  netctl netns attach web 4711")]
pub(crate) struct Attach {
    /// Call it this
    #[arg(value_parser = names::parser())]
    name: Name,
    /// The process
    #[arg(value_parser = super::process::pid)]
    pid: u32,
}

impl Add {
    pub(crate) fn run(self, directory: &Directory) -> Result<(), Failure> {
        directory.create(&self.name).map_err(explain)
    }
}

impl Attach {
    pub(crate) fn run(self, directory: &Directory) -> Result<(), Failure> {
        let netns = open_process(self.pid)?;
        directory.attach(&self.name, &netns).map_err(explain)
    }
}

/// Opens the namespace of a process.
pub(crate) fn open_process(pid: u32) -> Result<Netns, Failure> {
    Netns::open(process::path_of(pid)).map_err(|error| {
        let hint = error.is_gone().then(|| format!("no process {pid} is running"));
        Failure::from(error).hint(hint)
    })
}

fn explain(error: directory::Error) -> Failure {
    let hint = match &error {
        directory::Error::Exists { name, .. } => {
            Some(format!("choose another name, or delete it first: `netctl netns delete {name}`"))
        }
        _ => None,
    };
    Failure::from(error).hint(hint)
}
