//! `netctl import`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use images::{BuildError, Change, Content, Draft, Limits, Platform, Reference};
use serde_json::json;

use super::place::{self, Place};
use crate::output::Output;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// Make an image of a root file system: a tar or a folder
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Import {
    /// The root file system: a file, a folder, or - for standard input
    #[arg(value_hint = ValueHint::AnyPath)]
    source: PathBuf,
    /// The name of the image
    #[arg(value_parser = in_full::<Reference>)]
    name: Option<Reference>,
    /// Say how its programs run, in the words of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, WORKDIR, …
    #[arg(short, long, value_name = "INSTRUCTION", value_parser = in_full::<Change>)]
    change: Vec<Change>,
    /// Keep this comment with it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
Prints the id of the image. Sockets and device nodes of a folder are left out, which is told.

Examples:
  netctl import rootfs.tar.gz tools:1
  netctl import -c 'CMD [\"sh\"]' -c 'EXPOSE 80' ./rootfs tools

Exit codes:
  0  done
  1  failed; nothing was changed, and the reason is on standard error
  2  the command line cannot be understood";

impl Import {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let is_stream = self.source.as_os_str() == "-";
        let source = place::source(Some(self.source.clone()).filter(|_| !is_stream))?;
        let draft = Draft {
            base: None,
            changes: self.change,
            name: self.name,
            created_by: None,
            message: self.message.or_else(|| Some(format!("Imported from {}", self.source.display()))),
            author: None,
            created: jiff::Timestamp::now(),
            platform: Platform::of_this_machine(),
            limits: Limits::default(),
        };
        let built = self.place.store()?.build(Content::RootFs(source), draft);
        let built = built.map_err(|error| Failure::with(error, BuildError::hint))?;
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
