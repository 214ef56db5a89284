//! `netctl image`, and its commands in short: `netctl images`, `load`, `save`, `import`, `tag`, `rmi`, `history`.

mod history;
mod import;
pub(crate) mod inspect;
mod load;
mod ls;
mod place;
mod prune;
mod rm;
mod save;
mod tag;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::output::{LongOutput, LongPretty, Output, Printing};
use crate::report::Failure;

/// Load, save, list, show, name and remove images
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Image {
    #[command(flatten)]
    output: LongPretty,
    #[command(subcommand)]
    verb: Grouped,
}

const EXAMPLES: &str = "\
Most of these commands have a short form: `netctl load` is `netctl image load`, `netctl images` is `netctl image ls`,
`netctl rmi` is `netctl image rm`.

Examples:
  docker save alpine | netctl load
  netctl images
  netctl tag alpine:latest registry.example/alpine:3
  netctl image prune

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// The commands as they stand in the root of the command line.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Load(Printing<load::Load, LongPretty>),
    Save(save::Save),
    Import(Printing<import::Import, LongPretty>),
    Images(Printing<ls::Ls, LongPretty>),
    Tag(tag::Tag),
    Rmi(Printing<rm::Rm, LongPretty>),
    History(Printing<history::History, LongPretty>),
}

/// The commands as they stand below `netctl image`.
#[derive(Debug, Subcommand)]
enum Grouped {
    Load(Printing<load::Load, LongPretty>),
    Save(save::Save),
    Import(Printing<import::Import, LongPretty>),
    #[command(visible_alias = "list")]
    Ls(Printing<ls::Ls, LongPretty>),
    Tag(tag::Tag),
    #[command(visible_alias = "remove")]
    Rm(Printing<rm::Rm, LongPretty>),
    History(Printing<history::History, LongPretty>),
    Inspect(Printing<inspect::Inspect, LongPretty>),
    Prune(Printing<prune::Prune, LongOutput>),
}

impl Image {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        match self.verb {
            Grouped::Load(verb) => verb.on(output).run(output),
            Grouped::Save(verb) => verb.run(output),
            Grouped::Import(verb) => verb.on(output).run(output),
            Grouped::Ls(verb) => verb.on(output).run(output),
            Grouped::Tag(verb) => verb.run(),
            Grouped::Rm(verb) => verb.on(output).run(output),
            Grouped::History(verb) => verb.on(output).run(output),
            Grouped::Inspect(verb) => verb.on(output).run(output),
            Grouped::Prune(verb) => verb.on(output).run(output),
        }
    }
}

impl Verb {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Load(verb) => verb.on(output).run(output),
            Self::Save(verb) => verb.run(output),
            Self::Import(verb) => verb.on(output).run(output),
            Self::Images(verb) => verb.on(output).run(output),
            Self::Tag(verb) => verb.run(),
            Self::Rmi(verb) => verb.on(output).run(output),
            Self::History(verb) => verb.on(output).run(output),
        }
    }
}
