//! Times of two contenders, side by side.

use super::{Verdict, cell, goal_cell, millis, times};
use crate::statistics::{Summary, ratio};
use crate::table::Table;
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::time::Duration;

/// Times of two contenders, side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Versus {
    /// Who stands on the left.
    pub reference: &'static str,
    /// Who stands on the right.
    pub ours: &'static str,
    /// Which way the ratio goes.
    pub measure: Measure,
    /// One row for each piece of work.
    pub rows: Vec<Row>,
}

/// Which way a ratio goes, and with it, which side of a goal is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// How many times faster the right one is; a goal is a least value.
    Faster,
    /// How many times as long the right one takes; a goal is a greatest value.
    AsLong,
}

/// One piece of work, done by both.
#[derive(Clone, Debug)]
pub struct Row {
    case: String,
    reference: Option<Summary>,
    ours: Option<Summary>,
    goal: Option<Goal>,
}

/// What should be reached.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// A ratio of the medians.
    Ratio(f64),
    /// The median of ours, which should be shorter.
    Under(Duration),
}

impl Row {
    /// What both took for one piece of work.
    pub fn new(
        case: impl Into<String>,
        reference: impl IntoIterator<Item = Duration>,
        ours: impl IntoIterator<Item = Duration>,
    ) -> Self {
        Self { case: case.into(), reference: Summary::of(reference), ours: Summary::of(ours), goal: None }
    }

    /// With a goal for the ratio of the medians.
    #[must_use]
    pub fn goal(mut self, goal: impl Into<Option<f64>>) -> Self {
        self.goal = goal.into().map(Goal::Ratio);
        self
    }

    /// With a time below which the median of ours should be, whatever others take.
    #[must_use]
    pub fn under(mut self, limit: Duration) -> Self {
        self.goal = Some(Goal::Under(limit));
        self
    }

    /// The ratio of one number of both summaries.
    fn ratio(&self, measure: Measure, of: impl Fn(Summary) -> Duration) -> Option<f64> {
        let (reference, ours) = (of(self.reference?), of(self.ours?));
        match measure {
            Measure::Faster => ratio(reference, ours),
            Measure::AsLong => ratio(ours, reference),
        }
    }

    fn verdict(&self, measure: Measure) -> Option<Verdict> {
        let reached = || self.ratio(measure, |summary| summary.p50);
        Some(Verdict::on(match (self.goal?, measure) {
            (Goal::Ratio(goal), Measure::Faster) => reached()? >= goal,
            (Goal::Ratio(goal), Measure::AsLong) => reached()? <= goal,
            (Goal::Under(limit), _) => self.ours?.p50 < limit,
        }))
    }

    /// The goal in words.
    fn wanted(&self, measure: Measure) -> String {
        match (self.goal, measure) {
            (None, _) => String::new(),
            (Some(Goal::Ratio(goal)), Measure::Faster) => format!(">= {goal}"),
            (Some(Goal::Ratio(goal)), Measure::AsLong) => format!("<= {goal}"),
            (Some(Goal::Under(limit)), _) => format!("< {} ms", limit.as_millis()),
        }
    }

    /// How many times there were; of the left one and of the right one, if that differs.
    fn counts(&self) -> String {
        let number = |summary: Option<Summary>| summary.map_or(0, |summary| summary.n);
        match (number(self.reference), number(self.ours)) {
            (0, 0) => "-".to_owned(),
            (0, one) | (one, 0) => one.to_string(),
            (left, right) if left == right => left.to_string(),
            (left, right) => format!("{left}/{right}"),
        }
    }

    fn cells(&self, measure: Measure) -> Vec<String> {
        let numbers = |summary: Option<Summary>| {
            [|s: Summary| s.min, |s: Summary| s.p50, |s: Summary| s.p99]
                .map(|of| cell(summary.map(of), millis))
        };
        let mut cells = vec![self.case.clone(), self.counts()];
        cells.extend(numbers(self.reference));
        cells.extend(numbers(self.ours));
        cells.push(cell(self.ratio(measure, |summary| summary.p50), times));
        cells.push(cell(self.ratio(measure, |summary| summary.p99), times));
        cells.push(goal_cell(&self.wanted(measure), self.verdict(measure)));
        cells
    }
}

impl Versus {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(|row| row.verdict(self.measure)).collect()
    }

    pub(super) fn table(&self) -> Table {
        let ratio = match self.measure {
            Measure::Faster => "faster",
            Measure::AsLong => "as long",
        };
        let groups = ["", "", self.reference, "", "", self.ours, "", "", ratio, "", ""];
        let columns = ["ms", "n", "min", "p50", "p99", "min", "p50", "p99", "p50", "p99", "goal"];
        let mut table = Table::new([groups, columns]);
        for row in &self.rows {
            table.push(row.cells(self.measure));
        }
        table
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (goal, under) = match self.goal {
            None => (None, None),
            Some(Goal::Ratio(goal)) => (Some(goal), None),
            Some(Goal::Under(limit)) => (None, Some(limit.as_secs_f64() * 1e6)),
        };
        let mut row = serializer.serialize_struct("Row", 5)?;
        row.serialize_field("case", &self.case)?;
        row.serialize_field("reference", &self.reference)?;
        row.serialize_field("ours", &self.ours)?;
        row.serialize_field("goal", &goal)?;
        row.serialize_field("under", &under)?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reference: u64, ours: u64) -> Row {
        Row::new("bridge ADD", [Duration::from_millis(reference)], [Duration::from_millis(ours)])
    }

    fn versus(measure: Measure, rows: Vec<Row>) -> Versus {
        Versus { reference: "reference", ours: "ours", measure, rows }
    }

    #[test]
    fn faster_is_better_the_greater_it_is() {
        let rows = vec![row(24, 2).goal(12.0), row(23, 2).goal(12.0), row(1, 1)];
        let verdicts = versus(Measure::Faster, rows).verdicts();
        assert_eq!(verdicts, [Verdict::Met, Verdict::NotMet]);
    }

    #[test]
    fn as_long_is_better_the_smaller_it_is() {
        let rows = vec![row(2, 3).goal(1.5), row(2, 4).goal(1.5)];
        let verdicts = versus(Measure::AsLong, rows).verdicts();
        assert_eq!(verdicts, [Verdict::Met, Verdict::NotMet]);
    }

    #[test]
    fn a_table_shows_both_and_the_verdict() {
        let missing = Row::new("alone", [Duration::from_millis(1)], []);
        let table = versus(Measure::Faster, vec![row(24, 2).goal(12.0), missing]).table().to_string();
        assert!(
            table.contains("bridge ADD  1       24.0  24.0  24.0  2.00  2.00  2.00    12.0  12.0"),
            "{table}"
        );
        assert!(table.contains(">= 12    met"), "{table}");
        assert!(table.contains("alone       1       1.00"), "{table}");
    }

    #[test]
    fn a_time_of_ours_can_be_the_goal_even_when_nobody_else_has_one() {
        let alone = |ours| Row::new("range", [], [Duration::from_millis(ours)]);
        let rows = [49, 50].map(|ours| alone(ours).under(Duration::from_millis(50))).to_vec();
        let versus = versus(Measure::Faster, rows);
        assert_eq!(versus.verdicts(), [Verdict::Met, Verdict::NotMet]);
        assert!(versus.table().to_string().contains("< 50 ms  NOT MET"));
    }

    #[test]
    fn whoever_was_slow_had_fewer_turns() {
        let turns = |count| vec![Duration::from_millis(1); count];
        let row = Row::new("", turns(3), turns(20));
        assert_eq!(row.counts(), "3/20");
        assert_eq!(Row::new("", turns(5), turns(5)).counts(), "5");
        assert_eq!(Row::new("", [], []).counts(), "-");
    }

    #[test]
    fn json_has_the_numbers_of_both() {
        let json = serde_json::to_value(versus(Measure::AsLong, vec![row(2, 3).goal(1.5)])).unwrap();
        assert_eq!(json["measure"], "as-long");
        assert_eq!(json["rows"][0]["ours"]["p50"], 3000.0);
        assert_eq!(json["rows"][0]["goal"], 1.5);
    }
}
