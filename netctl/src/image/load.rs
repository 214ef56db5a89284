//! `netctl load`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use images::{LoadOptions, Platform};
use serde_json::json;

use super::place::{self, Place};
use crate::output::Output;
use crate::parse::in_full;
use crate::report::Failure;

/// Load images from an archive of `docker save`, an OCI archive or an OCI layout
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Load {
    /// Read this file or folder [default: standard input]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    input: Option<PathBuf>,
    /// Print ids only
    #[arg(short, long)]
    quiet: bool,
    /// Take the image for this platform, where there is one for each [default: this machine's]
    #[arg(long, value_name = "OS/ARCHITECTURE", value_parser = in_full::<Platform>)]
    platform: Option<Platform>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Archives may be compressed by gzip or zstd. Every digest is checked, and an archive that would write outside of the
image is refused: then nothing was changed.

Examples:
  netctl load -i busybox.tar.gz
  docker save alpine | netctl load
  netctl load -i ./oci-layout

Exit codes:
  0  done
  1  failed; nothing was changed, and the reason is on standard error
  2  the command line cannot be understood";

impl Load {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let source = place::source(self.input)?;
        let standard = LoadOptions::default();
        let platform = self.platform.unwrap_or_else(|| standard.platform.clone());
        let options = LoadOptions { platform, ..standard };
        let loaded = self.place.store()?.load(source, &options);
        let loaded = loaded.map_err(|error| Failure::with(error, images::LoadError::hint))?;
        if output.is_json() {
            let all: Vec<_> = loaded
                .iter()
                .map(|image| {
                    let names: Vec<String> = image.names.iter().map(images::Reference::short).collect();
                    json!({"Id": image.id.to_string(), "RepoTags": names})
                })
                .collect();
            output.json(&all)?;
            return Ok(ExitCode::SUCCESS);
        }
        for image in &loaded {
            match (self.quiet, image.names.as_slice()) {
                (true, _) => output.line(image.id)?,
                (false, []) => output.line(format_args!("Loaded image ID: {}", image.id))?,
                (false, names) => {
                    names
                        .iter()
                        .try_for_each(|name| output.line(format_args!("Loaded image: {}", name.short())))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
