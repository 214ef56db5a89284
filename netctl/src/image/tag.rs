//! `netctl tag`

use std::process::ExitCode;

use clap::Args;
use images::Reference;

use super::place::{self, Place};
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Give an image another name
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Tag {
    /// The image: a name, or an id of which the first digits are enough
    image: String,
    /// Its further name
    #[arg(value_parser = in_full::<Reference>)]
    name: Reference,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
An image that had the name loses it, which is told.

Examples:
  netctl tag busybox registry.example:5000/tools/busybox:1

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

impl Tag {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let name = self.name.short();
        if let Some(other) = self.place.store()?.tag(&self.image, self.name).map_err(place::of)? {
            report::note(format!("{name} was the name of image {other} before"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
