//! What was measured, as tables for people and as JSON for programs.

mod arrivals;
mod count;
mod size;
mod versus;

pub use arrivals::{Arrivals, Fares};
pub use count::{Count, Counts};
pub use size::{Size, Sizes, Unit};
pub use versus::{Measure, Row, Versus};

use crate::table::Table;
use serde::Serialize;
use std::fmt;

/// The outcome of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// What was done, in a few words.
    pub title: String,
    /// What was found.
    pub body: Body,
}

/// What was found, by the kind of its table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// Times of two contenders.
    Versus(Versus),
    /// How first packets fared.
    FirstPacket(Fares),
    /// Memory and files.
    Sizes(Sizes),
    /// Things of which there should be none.
    Counts(Counts),
    /// Nothing, and why.
    Skipped(String),
}

/// Whether a goal was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was.
    Met,
    /// It was not.
    NotMet,
}

impl Verdict {
    /// The verdict on a condition.
    #[must_use]
    pub fn on(condition: bool) -> Self {
        if condition { Self::Met } else { Self::NotMet }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::NotMet => "NOT MET",
        })
    }
}

impl Section {
    /// The verdict on each goal that the section has.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        match &self.body {
            Body::Versus(versus) => versus.verdicts(),
            Body::FirstPacket(fares) => fares.verdicts(),
            Body::Sizes(sizes) => sizes.verdicts(),
            Body::Counts(counts) => counts.verdicts(),
            Body::Skipped(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{}", self.title, self.body)
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table: Table = match self {
            Self::Versus(versus) => versus.table(),
            Self::FirstPacket(fares) => fares.table(),
            Self::Sizes(sizes) => sizes.table(),
            Self::Counts(counts) => counts.table(),
            Self::Skipped(why) => return writeln!(f, "  skipped: {why}"),
        };
        table.fmt(f)
    }
}

/// A cell for something that may be absent.
fn cell<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

/// The goal and whether it was reached, in one cell.
fn goal_cell(goal: &str, verdict: Option<Verdict>) -> String {
    verdict.map_or_else(String::new, |verdict| format!("{goal:<8} {verdict}"))
}

/// Milliseconds in three digits or a little more.
fn millis(time: std::time::Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..10.0 => format!("{millis:.2}"),
        ..100.0 => format!("{millis:.1}"),
        _ => format!("{millis:.0}"),
    }
}

/// A ratio in three digits or a little more.
fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_skipped_says_why_and_has_no_goals() {
        let body = Body::Skipped("netavark is not installed".to_owned());
        let section = Section { title: "against netavark".to_owned(), body };
        assert_eq!(section.to_string(), "against netavark\n\n  skipped: netavark is not installed\n\n");
        assert_eq!(section.verdicts(), []);
    }

    #[test]
    fn a_time_has_three_digits() {
        let shown = [1234, 12_345, 123_456].map(|micros| millis(Duration::from_micros(micros)));
        assert_eq!(shown, ["1.23", "12.3", "123"]);
        assert_eq!([9.876, 98.76].map(times), ["9.88", "98.8"]);
    }
}
