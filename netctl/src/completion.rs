//! `netctl completion`: what a shell needs to complete netctl's words.

use std::process::ExitCode;

use clap::{Args, Command, ValueEnum};
use clap_complete::aot;

use crate::output::Output;
use crate::report::Failure;

/// Print a script by which a shell completes the words of netctl
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
`netctl install` puts all three where shells look for them; by hand they serve who has no such installation.

Examples:
  . <(netctl completion bash)
  netctl completion bash > ~/.local/share/bash-completion/completions/netctl
  netctl completion zsh > ~/.zfunc/_netctl
  netctl completion fish > ~/.config/fish/completions/netctl.fish";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completion {
    pub(crate) fn run(self, line: Command, output: &mut Output) -> Result<ExitCode, Failure> {
        output.text(&self.shell.script(line))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Shell {
    /// The script that completes a command line.
    pub(crate) fn script(self, mut line: Command) -> Vec<u8> {
        let name = line.get_name().to_owned();
        let mut script = Vec::new();
        match self {
            Self::Bash => aot::generate(aot::Bash, &mut line, name, &mut script),
            Self::Zsh => aot::generate(aot::Zsh, &mut line, name, &mut script),
            Self::Fish => aot::generate(aot::Fish, &mut line, name, &mut script),
        }
        script
    }
}
