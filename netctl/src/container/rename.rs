//! `netctl rename`

use std::process::ExitCode;

use clap::Args;
use runner::{Name, StoreError};

use super::place::Place;
use crate::parse::in_full;
use crate::report::Failure;

/// Give a container another name
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rename {
    /// The container: its name, or the first digits of its id
    container: String,
    /// The other name
    #[arg(value_parser = in_full::<Name>)]
    name: Name,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl rename b1 web

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

impl Rename {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let renamed = self.place.store().rename(&container, self.name);
        renamed.map_err(|error| Failure::with(error, StoreError::hint))?;
        Ok(ExitCode::SUCCESS)
    }
}
