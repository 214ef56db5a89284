//! `netctl container`, and its commands in short: `netctl run`, `start`, `stop`, `exec`, `logs`, `ps` and so on.

mod attach;
mod commit;
mod cp;
mod create;
mod exec;
mod flags;
pub(crate) mod inspect;
mod kill;
mod logs;
pub(crate) mod monitor;
mod pause;
pub(crate) mod place;
mod port;
mod prune;
mod ps;
mod rename;
mod restart;
pub(crate) mod rm;
mod run;
mod start;
mod stats;
mod stop;
mod top;
mod wait;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::output::{LongOutput, LongPretty, Output, Printing};
use crate::report::Failure;

pub(crate) use exec::Exec;
pub(crate) use run::Run;
pub(crate) use words::ask;

/// Run programs in containers, and see to them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Container {
    #[command(flatten)]
    output: LongPretty,
    #[command(subcommand)]
    verb: Grouped,
}

const EXAMPLES: &str = "\
Most of these commands have a short form: `netctl run` is `netctl container run`. Only `create` has not: `netctl create`
makes networks.

Examples:
  netctl run --rm --rootfs / --network none ip -br link
  netctl run -d --name b1 -p 111:1232 busybox nc -l -p 1232 -e cat
  netctl exec -it b1 sh
  netctl rm -f b1

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood
`run`, `start -a` and `exec` end with the code of the program: 128 and the number of a signal if one ended it, 127 if there
is no such program, 126 if it cannot be executed, and 125 if it was not for the program that it did not start.";

/// The commands as they stand in the root of the command line.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Run(Box<run::Run>),
    Start(start::Start),
    Stop(stop::Stop),
    Kill(kill::Kill),
    Restart(restart::Restart),
    Pause(pause::Pause),
    Unpause(pause::Unpause),
    Wait(wait::Wait),
    Rename(rename::Rename),
    Exec(exec::Exec),
    Attach(attach::Attach),
    Logs(logs::Logs),
    Ps(Printing<ps::Ps, LongPretty>),
    Port(Printing<port::Port, LongPretty>),
    Top(Printing<top::Top, LongPretty>),
    Stats(Printing<stats::Stats, LongPretty>),
    Cp(cp::Cp),
    Commit(Printing<commit::Commit, LongOutput>),
}

/// The commands as they stand below `netctl container`.
#[derive(Debug, Subcommand)]
enum Grouped {
    #[command(flatten)]
    Short(Verb),
    Create(Box<create::Create>),
    Ls(Printing<ps::Ps, LongPretty>),
    Rm(rm::Rm),
    Inspect(Printing<inspect::Inspect, LongPretty>),
    Prune(Printing<prune::Prune, LongPretty>),
}

impl Container {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        match self.verb {
            Grouped::Short(verb) => verb.run(output),
            Grouped::Create(verb) => verb.run(output),
            Grouped::Ls(verb) => verb.on(output).run(output),
            Grouped::Rm(verb) => verb.run(output),
            Grouped::Inspect(verb) => verb.on(output).run(output),
            Grouped::Prune(verb) => verb.on(output).run(output),
        }
    }
}

impl Verb {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        match self {
            Self::Run(verb) => verb.run(output),
            Self::Start(verb) => verb.run(output),
            Self::Stop(verb) => verb.run(output),
            Self::Kill(verb) => verb.run(output),
            Self::Restart(verb) => verb.run(output),
            Self::Pause(verb) => verb.run(output),
            Self::Unpause(verb) => verb.run(output),
            Self::Wait(verb) => verb.run(output),
            Self::Rename(verb) => verb.run(),
            Self::Exec(verb) => verb.run(),
            Self::Attach(verb) => verb.run(),
            Self::Logs(verb) => verb.run(output),
            Self::Ps(verb) => verb.on(output).run(output),
            Self::Port(verb) => verb.on(output).run(output),
            Self::Top(verb) => verb.on(output).run(output),
            Self::Stats(verb) => verb.on(output).run(output),
            Self::Cp(verb) => verb.run(),
            Self::Commit(verb) => verb.on(output).run(output),
        }
    }
}
