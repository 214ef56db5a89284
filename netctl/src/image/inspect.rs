//! `netctl image inspect`

use std::process::ExitCode;

use clap::Args;
use images::{Image, Reference, Store};
use serde_json::{Value, json};

use super::place::{self, Place};
use crate::output::Output;
use crate::report::Failure;
use crate::several::inspect_each;

/// Show images in full: how their programs run, and of which layers they are made
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Inspect {
    /// The images: names, or ids of which the first digits are enough
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// Print of each what a template of Go's says, such as '{{json .Config.Cmd}}'
    #[arg(short, long, value_name = "TEMPLATE")]
    format: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints JSON with Docker's names. Size is what the files of all layers hold, in bytes.

Examples:
  netctl image inspect busybox
  netctl image inspect -f '{{json .Config.Cmd}}' busybox
  netctl image inspect busybox | jq '.[].RootFS.Layers'

Exit codes:
  0  done
  1  failed, or one of them was not found; those that were are printed
  2  the command line cannot be understood";

impl Inspect {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let store = self.place.store()?;
        inspect_each(&self.images, self.format.as_deref(), output, |wanted| shown(&find(&store, wanted)?))
    }
}

/// An image by Docker's names.
pub(crate) fn shown(image: &Image) -> Result<Value, Failure> {
    let configuration = &image.configuration;
    let names: Vec<String> = image.names.iter().map(Reference::short).collect();
    let last = configuration.history.last();
    Ok(json!({
        "Id": image.id.to_string(),
        "RepoTags": names,
        "Comment": last.and_then(|step| step.comment.clone()).unwrap_or_default(),
        "Created": configuration.created,
        "Author": configuration.author.clone().unwrap_or_default(),
        "Architecture": configuration.platform.architecture,
        "Variant": configuration.platform.variant,
        "Os": configuration.platform.os,
        "Size": image.bytes(),
        "Config": serde_json::to_value(&configuration.config)?,
        "RootFS": {"Type": configuration.rootfs.kind, "Layers": configuration.rootfs.diff_ids},
    }))
}

/// The image of that name or id, with the way out if there is none.
pub(crate) fn find(store: &Store, wanted: &str) -> Result<Image, Failure> {
    store.find(wanted).map_err(place::of)
}
