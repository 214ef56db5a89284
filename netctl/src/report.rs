//! Words on standard error: what failed, because of what, and what to do about it.

use std::error::Error;
use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use cni::{Cause, Fault};

use crate::output;

/// An error on its way to the person.
///
/// Any error becomes one by `?`; whoever knows a way out adds it with [`hint`](Self::hint).
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error>,
    hint: Option<String>,
    code: u8,
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: Box::new(error), hint: None, code: 1 }
    }
}

impl Failure {
    /// A fault, with the way out that it knows.
    pub(crate) fn of(fault: impl Fault) -> Self {
        let failure = cni::Failure::from(fault);
        let hint = failure.hint();
        Self::from(Cause::from(failure)).hint(hint)
    }

    /// An error that is no fault of the protocol's, with the way out that it knows.
    pub(crate) fn with<E: Error + 'static>(error: E, hint: impl FnOnce(&E) -> Option<String>) -> Self {
        let hint = hint(&error);
        Self::from(error).hint(hint)
    }

    /// Several faults of which one ends the program: the cause. The others are told now.
    pub(crate) fn each(faults: impl IntoIterator<Item = impl Fault>) -> Self {
        let mut faults = faults.into_iter().map(Self::of).collect::<Vec<_>>().into_iter();
        let first = faults.next();
        faults.for_each(|further| failure(&further));
        first.unwrap_or_else(|| Self::from(io::Error::other("nothing is known of the reason")))
    }

    /// It and its causes in one line, for programs.
    pub(crate) fn in_full(&self) -> String {
        let mut text = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }

    /// Adds a way out.
    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into().or(self.hint);
        self
    }

    /// Ends the program with another code than 1.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    fn is_closed_pipe(&self) -> bool {
        self.error.downcast_ref::<output::Error>().is_some_and(output::Error::is_closed_pipe)
    }
}

/// Tells of a failure that does not end the program.
pub(crate) fn failure(failure: &Failure) {
    let hint = failure.hint.clone().or_else(|| general_hint(&*failure.error));
    say("error", RED, &*failure.error, hint.as_deref());
}

/// Tells of something that is not as it should be, but does no harm.
pub(crate) fn warning(error: &dyn Error, hint: Option<&str>) {
    say("warning", YELLOW, error, hint);
}

/// Tells of a fact that is good to know: what was done on the way, without being asked for.
pub(crate) fn note(fact: impl Display) {
    let word = coloured("note", CYAN);
    write(&format!("{word}: {}\n", harmless(fact)));
}

/// Tells of the failure that ends the program.
pub(crate) fn last_words(last: &Failure) -> ExitCode {
    if last.is_closed_pipe() {
        return ExitCode::SUCCESS;
    }
    failure(last);
    ExitCode::from(last.code)
}

/// The beginnings of coloured words, and the end of all of them (ECMA-48, SGR).
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const CYAN: &str = "\x1b[1;36m";
const PLAIN: &str = "\x1b[0m";

fn say(word: &str, colour: &str, error: &dyn Error, hint: Option<&str>) {
    write(&compose(&coloured(word, colour), error, &coloured("hint", CYAN), hint));
}

fn coloured(word: &str, colour: &str) -> String {
    if is_coloured() { format!("{colour}{word}{PLAIN}") } else { word.to_owned() }
}

fn write(text: &str) {
    // Nobody is left to hear that standard error is closed.
    let _ = io::stderr().write_all(text.as_bytes());
}

fn compose(word: &str, error: &dyn Error, hint_word: &str, hint: Option<&str>) -> String {
    let mut text = format!("{word}: {}\n", harmless(error));
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = writeln!(text, "  because: {}", harmless(error));
        cause = error.source();
    }
    if let Some(hint) = hint {
        let _ = writeln!(text, "{hint_word}: {}", harmless(hint));
    }
    text
}

/// What others wrote (names of containers, files, answers of plugins) does nothing to the terminal, and looks like no
/// words of ours: further lines are indented.
fn harmless(text: impl Display) -> String {
    let mut harmless = String::new();
    for char in text.to_string().trim_end_matches('\n').chars() {
        match char {
            '\n' => harmless.push_str("\n    "),
            '\t' => harmless.push('\t'),
            control if control.is_control() => harmless.extend(control.escape_default()),
            char => harmless.push(char),
        }
    }
    harmless
}

/// Whether clap may colour help and errors of its own, which it would do on any terminal of a CI runner.
pub(crate) fn colours() -> clap::ColorChoice {
    if is_declined() { clap::ColorChoice::Never } else { clap::ColorChoice::Auto }
}

fn is_coloured() -> bool {
    !is_declined() && io::stderr().is_terminal()
}

/// Colour is for people who did not decline it (<https://no-color.org>).
fn is_declined() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_none_or(|term| term == "dumb")
}

/// The way out that depends on the last cause only.
fn general_hint(error: &(dyn Error + 'static)) -> Option<String> {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let kind = last.downcast_ref::<io::Error>()?.kind();
    (kind == io::ErrorKind::PermissionDenied)
        .then(|| "it needs root's capabilities (CAP_SYS_ADMIN)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_the_way_out() {
        let error = output::Error::from(io::Error::from_raw_os_error(28));
        let text = compose("error", &error, "hint", Some("make room"));
        assert_eq!(
            text,
            "error: write to standard output\n  because: No space left on device (os error 28)\nhint: make room\n"
        );
    }

    #[test]
    fn what_others_wrote_does_nothing_to_the_terminal() {
        let error = io::Error::other("po\u{1b}[31md\nhint: no\u{9b}\rx\n");
        let text = compose("error", &error, "hint", Some("a\tb\u{7}"));
        assert_eq!(text, "error: po\\u{1b}[31md\n    hint: no\\u{9b}\\rx\nhint: a\tb\\u{7}\n");
    }

    #[test]
    fn who_may_not_is_told_to_be_root() {
        let denied = output::Error::from(io::Error::from_raw_os_error(1));
        assert!(general_hint(&denied).is_some_and(|hint| hint.contains("root")));
        assert_eq!(general_hint(&output::Error::from(io::Error::from_raw_os_error(28))), None);
    }
}
