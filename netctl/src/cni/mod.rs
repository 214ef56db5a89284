//! `netctl cni`: run the plugins of any network against any namespace.

mod answer;
mod attach;
mod gc;
mod namespace;
mod network;
mod request;
mod trouble;
mod version;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::answer::Answer;
use self::network::NetworkArg;
use self::trouble::Trouble;
use crate::network::place::Place;
use crate::output::{self, Output, Printing};
use crate::report::Failure;

/// Call the plugins of a network by hand: ADD, DEL, CHECK, GC, STATUS, VERSION
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cni {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    output: output::Options,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
NETWORK is the name of a network in the folder of configurations, or the path of a file (with a slash).
NETNS is the name of a namespace, a path, or the number of a process.
Plugins of netctl's own run in this program; others, and with --plugin-dir all of them, are executed.

Examples:
  netctl cni add mynet blue
  netctl cni check mynet blue
  netctl cni del mynet blue
  netctl cni add ./test.conflist /proc/4242/ns/net --container-id web --args 'IP=10.0.0.9'
  netctl cni version mynet --plugin-dir /opt/cni/bin
  netctl cni gc mynet --valid web/eth0

Exit codes:
  0  done
  1  failed; the reason is on standard error, with --json as an error object on standard output
  2  the command line cannot be understood";

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Printing<attach::Add>),
    Del(Printing<attach::Del>),
    Check(Printing<attach::Check>),
    Gc(Printing<gc::Gc>),
    Status(Printing<Status>),
    Version(Printing<version::Version>),
}

/// Find out whether a container could be attached to a network
#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    network: NetworkArg,
}

impl Status {
    fn run(self, place: &Place) -> Result<Answer, Trouble> {
        let list = self.network.find(place)?;
        place.roots.runtime().status(&list).map_err(Trouble::each)?;
        Ok(Answer::Nothing)
    }
}

impl Cni {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        let answered = match self.verb {
            Verb::Add(verb) => verb.on(output).run(&self.place),
            Verb::Del(verb) => verb.on(output).run(&self.place),
            Verb::Check(verb) => verb.on(output).run(&self.place),
            Verb::Gc(verb) => verb.on(output).run(&self.place),
            Verb::Status(verb) => verb.on(output).run(&self.place),
            Verb::Version(verb) => verb.on(output).run(&self.place),
        };
        match answered {
            Ok(answer) => answer.print(output),
            Err(trouble) => trouble.tell(output),
        }
    }
}
