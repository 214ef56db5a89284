//! `netctl commit`

use std::process::ExitCode;

use clap::Args;
use images::{BuildError, Change, Content, Draft, Limits, Platform, Reference};
use runner::{Source, Status};
use serde_json::json;

use super::place::Place;
use super::words::ask;
use crate::output::Output;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Make an image of what a container has changed
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Commit {
    /// The container: its name, or the first digits of its id
    container: String,
    /// The name of the image
    #[arg(value_parser = in_full::<Reference>)]
    name: Option<Reference>,
    /// Keep this author with it
    #[arg(short, long, value_name = "NAME")]
    author: Option<String>,
    /// Keep this comment with it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Say how its programs run, in the words of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, WORKDIR, …
    #[arg(short, long, value_name = "INSTRUCTION", value_parser = in_full::<Change>)]
    change: Vec<Change>,
    /// Hold the container meanwhile, so that nothing changes on the way; =false lets it go on [default: true]
    #[arg(
        short,
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        hide_default_value = true,
        action = clap::ArgAction::Set
    )]
    pause: bool,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints the id of the image: that of the container, with one layer more. What is in volumes is not part of it.

Examples:
  netctl commit web web:2
  netctl commit -m 'with curl' -c 'CMD [\"sh\"]' web tools

Exit codes:
  0  done
  1  failed; nothing was changed, and the reason is on standard error
  2  the command line cannot be understood";

#[derive(Debug, thiserror::Error)]
#[error("container {0} is made of no image, but of a folder of the host")]
struct NoImage(String);

impl Commit {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let container = self.place.find(&self.container)?;
        let Source::Image(used) = &container.config().source else {
            let failure = Failure::from(NoImage(container.name().to_string()));
            return Err(failure.hint("`netctl import DIR NAME` makes an image of a folder".to_owned()));
        };
        let draft = Draft {
            base: Some(used.id.clone()),
            changes: self.change.clone(),
            name: self.name.clone(),
            created_by: Some(container.config().program.cmd.join(" ")),
            message: self.message.clone(),
            author: self.author.clone(),
            created: jiff::Timestamp::now(),
            platform: Platform::of_this_machine(),
            limits: Limits::default(),
        };
        let engine = self.place.engine();
        let is_held = self.pause && engine.state(&container).map_err(ask)?.status == Status::Running;
        if is_held {
            engine.pause(&container).map_err(ask)?;
        }
        let built = self.place.images().and_then(|images| {
            let built = images.build(Content::Changes(container.folder().upper()), draft);
            built.map_err(|error| Failure::with(error, BuildError::hint))
        });
        if is_held {
            engine.unpause(&container).map_err(ask)?;
        }
        let built = built?;
        for path in &built.left_out {
            report::note(format!("left out {}: an image has no sockets and device nodes", path.display()));
        }
        match output.is_json() {
            true => output.json(&json!({"Id": built.id.to_string()}))?,
            false => output.line(built.id)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
