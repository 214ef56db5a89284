//! `netctl network`, and its commands in short: `netctl create`, `ls`, `inspect`, `rm`, `prune`, `connect`, `disconnect`.

mod connect;
mod create;
mod disconnect;
mod filter;
mod inspect;
mod ls;
pub(crate) mod place;
mod prune;
mod rm;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::output::{LongOutput, LongPretty, Output, Printing};
use crate::report::Failure;

/// Make, list, show, join and remove networks
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Network {
    #[command(flatten)]
    output: LongPretty,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Each of these commands has a short form: `netctl create` is `netctl network create`.

The networks `bridge`, `host` and `none` exist on every host. Others are files in /etc/cni/net.d, which containerd,
CRI-O and podman use as well; those that other programs made are listed, inspected and joined like ours.

Examples:
  netctl network create mybr0 --subnet 172.26.0.0/16 --gateway 172.26.0.1
  netctl network connect mybr0 blue
  netctl network ls
  netctl network rm mybr0

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

/// The commands. They stand in the root of the command line, too.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(Printing<create::Create, LongOutput>),
    #[command(visible_alias = "list")]
    Ls(Printing<ls::Ls, LongPretty>),
    Inspect(Printing<inspect::Inspect, LongPretty>),
    #[command(visible_alias = "remove")]
    Rm(Printing<rm::Rm, LongPretty>),
    Prune(Printing<prune::Prune, LongPretty>),
    Connect(Printing<connect::Connect, LongPretty>),
    Disconnect(Printing<disconnect::Disconnect, LongPretty>),
}

impl Network {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        self.verb.run(output)
    }
}

impl Verb {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Create(verb) => verb.on(output).run(output),
            Self::Ls(verb) => verb.on(output).run(output),
            Self::Inspect(verb) => verb.on(output).run(output),
            Self::Rm(verb) => verb.on(output).run(output),
            Self::Prune(verb) => verb.on(output).run(output),
            Self::Connect(verb) => verb.on(output).run(output),
            Self::Disconnect(verb) => verb.on(output).run(output),
        }
    }
}
