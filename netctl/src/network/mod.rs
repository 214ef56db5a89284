//! `netctl network`, and its commands in short: `netctl create`, `ls`, `inspect`, `rm`, `prune`, `connect`, `disconnect`.

mod connect;
mod create;
mod disconnect;
mod filter;
pub(crate) mod inspect;
mod ls;
pub(crate) mod place;
mod prune;
pub(crate) mod rm;
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
    verb: Grouped,
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

/// The commands as they stand in the root of the command line. `inspect` and `rm` are there for containers, too.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(Printing<create::Create, LongOutput>),
    #[command(visible_alias = "list")]
    Ls(Printing<ls::Ls, LongPretty>),
    Prune(Printing<prune::Prune, LongPretty>),
    Connect(Printing<connect::Connect, LongPretty>),
    Disconnect(Printing<disconnect::Disconnect, LongPretty>),
}

/// The commands as they stand below `netctl network`.
#[derive(Debug, Subcommand)]
enum Grouped {
    #[command(flatten)]
    Short(Verb),
    Inspect(Printing<inspect::Inspect, LongPretty>),
    #[command(visible_alias = "remove")]
    Rm(Printing<rm::Rm, LongPretty>),
}

impl Network {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        match self.verb {
            Grouped::Short(verb) => verb.run(output),
            Grouped::Inspect(verb) => verb.on(output).run(output),
            Grouped::Rm(verb) => verb.on(output).run(output),
        }
    }
}

impl Verb {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Create(verb) => verb.on(output).run(output),
            Self::Ls(verb) => verb.on(output).run(output),
            Self::Prune(verb) => verb.on(output).run(output),
            Self::Connect(verb) => verb.on(output).run(output),
            Self::Disconnect(verb) => verb.on(output).run(output),
        }
    }
}
