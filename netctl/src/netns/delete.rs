//! `netctl netns delete`

use std::process::ExitCode;

use netns::{Directory, Name, directory};

use super::names;
use crate::report::{self, Failure};

/// Delete namespaces; what still runs in one keeps it, without a name
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  netctl netns delete blue green\n  netctl netns delete -all")]
pub(crate) struct Delete {
    /// The namespaces
    #[arg(required_unless_present = "all", conflicts_with = "all", value_parser = names::parser())]
    name: Vec<Name>,
    /// Delete all of them
    #[arg(short, long)]
    all: bool,
}

impl Delete {
    /// Deletes what it can, and tells of everything that it cannot.
    pub(crate) fn run(self, directory: &Directory) -> Result<ExitCode, Failure> {
        let names = if self.all { directory.names()? } else { self.name };
        let mut code = ExitCode::SUCCESS;
        for name in names {
            match directory.delete(&name) {
                Ok(()) => {}
                // Somebody else has been quicker.
                Err(directory::Error::Missing { .. }) if self.all => {}
                Err(error) => {
                    report::failure(&explain(directory, error));
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

fn explain(directory: &Directory, error: directory::Error) -> Failure {
    let hint = match &error {
        directory::Error::Missing { name, .. } => Some(names::instead_of(directory, name)),
        _ => None,
    };
    Failure::from(error).hint(hint)
}
