//! Things that can be counted, and of which there should be none.

use super::{Verdict, cell, goal_cell};
use crate::table::Table;
use serde::Serialize;

/// Counts, one row for each contender.
#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    /// What was counted.
    pub what: &'static str,
    /// The rows.
    pub rows: Vec<Count>,
}

/// How many there were at most.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// Whose.
    pub side: &'static str,
    /// How often was counted.
    pub n: usize,
    /// The most that there were.
    pub most: usize,
    /// Whether none is the goal.
    pub has_goal: bool,
}

impl Count {
    /// The most of several counts.
    #[must_use]
    pub fn of(side: &'static str, counts: &[usize], has_goal: bool) -> Self {
        Self { side, n: counts.len(), most: counts.iter().copied().max().unwrap_or(0), has_goal }
    }

    fn verdict(&self) -> Option<Verdict> {
        (self.has_goal && self.n > 0).then(|| Verdict::on(self.most == 0))
    }
}

impl Counts {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(Count::verdict).collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([["by", "n", self.what, "goal"]]);
        for row in &self.rows {
            table.push([
                row.side.to_owned(),
                row.n.to_string(),
                cell((row.n > 0).then_some(row.most), |most| most.to_string()),
                goal_cell("0", row.verdict()),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_left_once_is_one_too_many() {
        assert_eq!(Count::of("ours", &[0, 0], true).verdict(), Some(Verdict::Met));
        assert_eq!(Count::of("ours", &[0, 1], true).verdict(), Some(Verdict::NotMet));
        assert_eq!(Count::of("netavark", &[2], false).verdict(), None);
        assert_eq!(Count::of("ours", &[], true).verdict(), None);
    }

    #[test]
    fn a_table_shows_the_most() {
        let counts = Counts { what: "processes", rows: vec![Count::of("ours", &[0, 2, 1], true)] };
        assert!(counts.table().to_string().contains("ours  3          2  0        NOT MET"));
    }
}
