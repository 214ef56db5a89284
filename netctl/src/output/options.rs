//! How data is printed, as the command line says it: at the root, at a family of commands, at the command.
//!
//! The options are no global ones of clap's: a command may then use a letter of theirs for something else.

use clap::{Args, ValueEnum};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    #[value(alias = "table")]
    Text,
    /// JSON for programs
    Json,
}

/// What has been said of it so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    format: Option<Format>,
    pretty: bool,
}

impl From<Format> for Choice {
    fn from(format: Format) -> Self {
        Self { format: Some(format), pretty: false }
    }
}

impl Choice {
    /// What is said closer to the command counts, where something is said.
    pub(super) fn refined_by(self, closer: Self) -> Self {
        Self { format: closer.format.or(self.format), pretty: closer.pretty || self.pretty }
    }

    pub(super) fn is_json(self) -> bool {
        self.format == Some(Format::Json)
    }

    pub(super) fn is_pretty(self) -> bool {
        self.pretty
    }
}

// No documentation comments on what follows: clap would take them for the help of the command that has the options.

// What all of them have in common. Whichever of the first two is given last counts.
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(skip)]
struct Core {
    /// Print data as text for people, or as json for programs [default: text]
    #[arg(
        long,
        value_name = "FORMAT",
        display_order = 900,
        overrides_with = "json",
        hide_possible_values = true
    )]
    output: Option<Format>,
    /// The same as --output json
    #[arg(short, long, display_order = 901, overrides_with = "output")]
    json: bool,
    /// Indent the JSON
    #[arg(long, display_order = 902)]
    pretty: bool,
}

impl From<Core> for Choice {
    fn from(core: Core) -> Self {
        Self { format: if core.json { Some(Format::Json) } else { core.output }, pretty: core.pretty }
    }
}

// -o, -j and -p, as `ip` has the latter two.
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(skip)]
#[command(mut_arg("pretty", |arg| arg.short('p')))]
pub(crate) struct Options {
    #[command(flatten)]
    most: LongPretty,
}

// -o and -j, for commands to which -p is something else.
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(skip)]
#[command(mut_arg("output", |arg| arg.short('o')))]
pub(crate) struct LongPretty {
    #[command(flatten)]
    core: Core,
}

// -j, for commands to which -o is something else, too.
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(skip)]
pub(crate) struct LongOutput {
    #[command(flatten)]
    core: Core,
}

impl From<Options> for Choice {
    fn from(options: Options) -> Self {
        options.most.into()
    }
}

impl From<LongPretty> for Choice {
    fn from(options: LongPretty) -> Self {
        options.core.into()
    }
}

impl From<LongOutput> for Choice {
    fn from(options: LongOutput) -> Self {
        options.core.into()
    }
}

// A command that prints, and its options for that: whoever unpacks the one has to heed the other.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Printing<C: Args, O: Args = Options> {
    #[command(flatten)]
    options: O,
    #[command(flatten)]
    command: C,
}

impl<C: Args, O: Args + Into<Choice>> Printing<C, O> {
    /// The command; its options are told to `output`.
    pub(crate) fn on(self, output: &mut super::Output) -> C {
        output.heed(self.options);
        self.command
    }
}

impl<C: Args, O: Args + Default> From<C> for Printing<C, O> {
    fn from(command: C) -> Self {
        Self { options: O::default(), command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, error::ErrorKind};

    fn choice<O: Args + Into<Choice>>(words: &str) -> Result<Choice, ErrorKind> {
        let words = ["x"].into_iter().chain(words.split_whitespace());
        let matches = O::augment_args(Command::new("x")).try_get_matches_from(words);
        let matches = matches.map_err(|error| error.kind())?;
        Ok(O::from_arg_matches(&matches).map_err(|error| error.kind())?.into())
    }

    const JSON: Choice = Choice { format: Some(Format::Json), pretty: false };
    const TEXT: Choice = Choice { format: Some(Format::Text), pretty: false };
    const PRETTY: Choice = Choice { format: None, pretty: true };

    #[test]
    fn the_last_word_on_the_format_counts() {
        for (words, meant) in [
            ("", Choice::default()),
            ("-o json", JSON),
            ("--output=json", JSON),
            ("-j", JSON),
            ("--json", JSON),
            ("-o text", TEXT),
            ("-j -o text", TEXT),
            ("-o text -j", JSON),
            ("-p", PRETTY),
            ("-jp", Choice { pretty: true, ..JSON }),
        ] {
            assert_eq!(choice::<Options>(words), Ok(meant), "{words}");
        }
        assert_eq!(choice::<Options>("-o yaml"), Err(ErrorKind::InvalidValue));
    }

    #[test]
    fn letters_that_a_command_needs_are_left_to_it() {
        assert_eq!(choice::<LongPretty>("-o json --pretty"), Ok(Choice { pretty: true, ..JSON }));
        assert_eq!(choice::<LongPretty>("-p"), Err(ErrorKind::UnknownArgument));
        assert_eq!(choice::<LongOutput>("--output text --pretty"), Ok(Choice { pretty: true, ..TEXT }));
        assert_eq!(choice::<LongOutput>("-j"), Ok(JSON));
        assert_eq!(choice::<LongOutput>("-o json"), Err(ErrorKind::UnknownArgument));
    }

    #[test]
    fn what_is_said_closer_to_the_command_counts() {
        assert_eq!(JSON.refined_by(Choice::default()), JSON);
        assert_eq!(JSON.refined_by(TEXT), TEXT);
        assert_eq!(Choice::default().refined_by(JSON), JSON);
        assert_eq!(PRETTY.refined_by(JSON), Choice { pretty: true, ..JSON });
    }
}
