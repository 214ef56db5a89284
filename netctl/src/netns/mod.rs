//! `netctl netns`: named network namespaces, in the words of `ip netns` and on its files.

mod add;
mod delete;
mod exec;
mod ids;
mod list;
mod monitor;
pub(crate) mod names;
mod process;
pub(crate) mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};
use netns::Directory;

use crate::output::{self, Output, Printing};
use crate::report::Failure;

/// Make, use and delete named network namespaces, those of `ip netns` included
#[derive(Debug, Args)]
#[command(infer_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Netns {
    /// Find the namespaces in this directory
    #[arg(long, global = true, value_name = "DIR", env = "NETNS_RUN_DIR", default_value = netns::directory::SYSTEM)]
    #[arg(value_hint = ValueHint::DirPath)]
    netns_dir: PathBuf,
    #[command(flatten)]
    output: output::Options,
    #[command(subcommand)]
    verb: Option<Verb>,
}

const EXAMPLES: &str = "\
Without a command it lists the namespaces. Commands can be abbreviated.

Examples:
  netctl netns add blue
  netctl netns exec blue ip address
  netctl netns list --json
  netctl netns delete --all

Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood
  exec ends with the code of its command, and with 255 when that could not be started";

#[derive(Debug, Subcommand)]
enum Verb {
    // Abbreviations that fit several commands mean what they mean to `ip netns`.
    #[command(visible_alias = "ls", aliases = ["l", "li", "lis", "lst", "show", "sho", "sh", "s"])]
    List(Printing<list::List>),
    #[command(alias = "a")]
    Add(add::Add),
    Attach(add::Attach),
    Delete(delete::Delete),
    Exec(exec::Exec),
    Identify(Printing<process::Identify>),
    Pids(Printing<process::Pids>),
    Set(ids::Set),
    ListId(Printing<ids::ListId>),
    Monitor(Printing<monitor::Monitor>),
}

impl Netns {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        output.heed(self.output);
        let directory = Directory::new(self.netns_dir);
        let done = |()| ExitCode::SUCCESS;
        match self.verb.unwrap_or(Verb::List(list::List {}.into())) {
            Verb::List(verb) => verb.on(output).run(&directory, output).map(done),
            Verb::Add(verb) => verb.run(&directory).map(done),
            Verb::Attach(verb) => verb.run(&directory).map(done),
            Verb::Delete(verb) => verb.run(&directory),
            Verb::Exec(verb) => verb.run(&directory, output),
            Verb::Identify(verb) => verb.on(output).run(&directory, output).map(done),
            Verb::Pids(verb) => verb.on(output).run(&directory, output).map(done),
            Verb::Set(verb) => verb.run(&directory).map(done),
            Verb::ListId(verb) => verb.on(output).run(&directory, output).map(done),
            Verb::Monitor(verb) => verb.on(output).run(&directory, output).map(done),
        }
    }
}
