//! `netctl history`

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::place::Place;
use super::words::short;
use crate::output::Output;
use crate::report::Failure;
use crate::sizes::size;
use crate::times::ago;

/// Show the steps that made an image, the newest first
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct History {
    /// The image: a name, or an id of which the first digits are enough
    image: String,
    /// Print commands in full
    #[arg(long)]
    no_trunc: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Examples:
  netctl history busybox
  netctl history -o json busybox | jq '.[].CreatedBy'

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// How much of a command is shown, in characters; as Docker has it.
const SHOWN: usize = 45;

impl History {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let image = self.place.find(&self.image)?;
        let now = Timestamp::now();
        let mut rows: Vec<[String; 5]> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        for (place, (step, layer)) in image.history().into_iter().enumerate() {
            // Only the whole image has an id; its steps are none of this machine.
            let is_whole = place == 0;
            let bytes = layer.map_or(0, |layer| layer.bytes);
            let (command, comment) =
                (step.created_by.clone().unwrap_or_default(), step.comment.clone().unwrap_or_default());
            let created = step.created.as_deref().and_then(|text| text.parse().ok());
            values.push(json!({
                "Id": if is_whole { image.id.to_string() } else { "<missing>".to_owned() },
                "Created": step.created, "CreatedBy": command, "Size": bytes, "Comment": comment,
            }));
            let id = if is_whole { short(&image.id) } else { "<missing>".to_owned() };
            let command = if self.no_trunc { command } else { cut(&command) };
            rows.push([id, ago(created, now), command, size(bytes), comment]);
        }
        if output.is_json() {
            output.json(&values)?;
        }
        output.table(["image", "created", "created by", "size", "comment"], rows)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn cut(text: &str) -> String {
    match text.chars().count() > SHOWN {
        true => text.chars().take(SHOWN - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
