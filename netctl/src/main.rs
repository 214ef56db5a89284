//! The command line for people: `netctl COMMAND …`.
//!
//! A command is a folder here and a line in [`Command`]. It prints data through [`output`], and whatever goes
//! wrong through [`report`]; it never touches the terminal itself.

mod anything;
mod cni;
mod completion;
mod container;
mod files;
mod gc;
mod image;
mod install;
mod manual;
mod netns;
mod network;
mod output;
mod parse;
mod quick;
mod reload;
mod report;
mod roots;
mod several;
mod sizes;
mod times;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::output::{LongPretty, Output, Printing};
use crate::report::Failure;

/// Container networking without a daemon
#[derive(Debug, Parser)]
#[command(name = "netctl", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    output: output::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Anything(anything::Verb),
    #[command(flatten)]
    Short(network::Verb),
    Network(network::Network),
    #[command(flatten)]
    ContainerShort(container::Verb),
    Container(container::Container),
    #[command(flatten)]
    ImageShort(image::Verb),
    Image(image::Image),
    Netns(netns::Netns),
    Cni(cni::Cni),
    Gc(Printing<gc::Gc, LongPretty>),
    Reload(Printing<reload::Reload>),
    Install(Printing<install::Install, LongPretty>),
    Uninstall(Printing<install::Uninstall, LongPretty>),
    Completion(completion::Completion),
    Man(manual::Man),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  the command line cannot be understood";

fn main() -> ExitCode {
    if let Some(code) = container::monitor::run_if_asked() {
        return code;
    }
    if let Some(result) = quick::run(&std::env::args_os().collect::<Vec<_>>()) {
        return result.unwrap_or_else(|failure| report::last_words(&failure));
    }
    let words = netns::words::spell_out(std::env::args_os());
    let matches = Cli::command().color(report::colours()).get_matches_from(words);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut output = Output::new(cli.output);
    let result = match cli.command {
        Command::Anything(command) => command.run(&mut output),
        Command::Short(command) => command.run(&mut output),
        Command::Network(command) => command.run(&mut output),
        Command::ContainerShort(command) => command.run(&mut output),
        Command::Container(command) => command.run(&mut output),
        Command::ImageShort(command) => command.run(&mut output),
        Command::Image(command) => command.run(&mut output),
        Command::Netns(command) => command.run(&mut output),
        Command::Cni(command) => command.run(&mut output),
        Command::Gc(command) => command.on(&mut output).run(&mut output),
        Command::Reload(command) => command.on(&mut output).run(&mut output),
        Command::Install(command) => command.on(&mut output).run(&Cli::command(), &mut output),
        Command::Uninstall(command) => command.on(&mut output).run(&Cli::command(), &mut output),
        Command::Completion(command) => command.run(Cli::command(), &mut output),
        Command::Man(command) => command.run(Cli::command(), &mut output),
    };
    let result = result.and_then(|code| output.finish().map(|()| code).map_err(Failure::from));
    result.unwrap_or_else(|failure| report::last_words(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_lines_begin_in_the_imperative_and_end_without_a_full_stop() {
        fn check(command: &clap::Command) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about:?}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
