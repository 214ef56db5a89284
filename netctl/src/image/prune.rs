//! `netctl image prune`

use std::process::ExitCode;

use clap::Args;
use images::RemoveError;

use super::place::{self, Place};

use crate::output::Output;
use crate::report::{self, Failure};
use crate::sizes::size;

/// Remove images that have no name, and what killed programs left
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Prune {
    /// Remove all images of which no container is made, those with a name too
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Images of which containers are made stay. Prints the ids of those that are gone.

Examples:
  netctl image prune
  netctl image prune --all

Exit codes:
  0  done
  1  failed for one of them; the reason is on standard error
  2  the command line cannot be understood";

impl Prune {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let store = self.place.store()?;
        let (mut code, mut gone, mut bytes) = (ExitCode::SUCCESS, Vec::new(), 0);
        let is_meant = |image: &images::Image| self.all || image.names.is_empty();
        for image in store.images().map_err(place::of)?.into_iter().filter(is_meant) {
            match self.place.remove(&store, &image.id.to_string(), true) {
                Ok(removed) => {
                    let freed = image.layers.iter().filter(|layer| removed.layers.contains(&layer.diff_id));
                    bytes += freed.map(|layer| layer.bytes).sum::<u64>();
                    gone.push(image.id.to_string());
                }
                Err(RemoveError::InUse { .. } | RemoveError::Store(images::Error::NotFound { .. })) => {}
                Err(error) => {
                    report::failure(&Failure::with(error, RemoveError::hint));
                    code = ExitCode::FAILURE;
                }
            }
        }
        let collected = store.collect().map_err(place::of)?;
        if output.is_json() {
            output.json(&gone)?;
            return Ok(code);
        }
        gone.iter().try_for_each(|id| output.line(id))?;
        if !gone.is_empty() || !collected.layers.is_empty() || collected.abandoned > 0 {
            report::note(format!(
                "{} images of {}, {} layers without image, {} unfinished loads removed",
                gone.len(),
                size(bytes),
                collected.layers.len(),
                collected.abandoned
            ));
        }
        Ok(code)
    }
}
