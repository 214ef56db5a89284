//! `netctl rmi`

use std::process::ExitCode;

use clap::Args;
use images::RemoveError;
use serde_json::json;

use super::place::Place;
use crate::output::Output;
use crate::report::{self, Failure};

/// Remove names of images, and with its last name an image
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rm {
    /// The images: names, or ids of which the first digits are enough
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// Remove an image that has several names by its id, and do not fail for those that are not there
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
An image of which containers are made stays, with --force as well.

Examples:
  netctl rmi busybox
  netctl rmi -f 3a4f5b

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Rm {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let store = self.place.store()?;
        let (mut code, mut told) = (ExitCode::SUCCESS, Vec::new());
        for wanted in &self.images {
            let removed = match self.place.remove(&store, wanted, self.force) {
                Ok(removed) => removed,
                Err(RemoveError::Store(images::Error::NotFound { .. })) if self.force => continue,
                Err(error) => {
                    report::failure(&Failure::with(error, RemoveError::hint));
                    code = ExitCode::FAILURE;
                    continue;
                }
            };
            let untagged = removed.names.iter().map(|name| ("Untagged", name.short()));
            let deleted = removed.image.iter().map(|id| ("Deleted", id.to_string()));
            let layers = removed.layers.iter().map(|layer| ("Deleted", layer.to_string()));
            for (what, name) in untagged.chain(deleted).chain(layers) {
                if !output.is_json() {
                    output.line(format_args!("{what}: {name}"))?;
                }
                told.push(json!({what: name}));
            }
        }
        if output.is_json() {
            output.json(&told)?;
        }
        Ok(code)
    }
}
