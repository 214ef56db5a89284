//! How first packets fared.

use super::{Verdict, cell, goal_cell, millis};
use crate::statistics::Summary;
use crate::table::Table;
use serde::Serialize;
use std::time::Duration;

/// How first packets fared, one row for each kind of container and each side.
#[derive(Clone, Debug, Serialize)]
pub struct Fares {
    /// "In time" means this soon after ADD has returned.
    #[serde(serialize_with = "crate::statistics::micros")]
    pub limit: Duration,
    /// Which part of all should be in time, in percent, where there is a goal.
    pub goal: u32,
    /// The rows.
    pub rows: Vec<Arrivals>,
}

/// When the first packets of a series of containers arrived, counted from the return of ADD.
#[derive(Clone, Debug, Serialize)]
pub struct Arrivals {
    /// Which containers.
    pub case: String,
    /// Who attached them.
    pub side: &'static str,
    /// The times of those that arrived.
    pub arrived: Option<Summary>,
    /// How many came in time.
    pub in_time: usize,
    /// How many did not arrive while we listened.
    pub lost: usize,
    /// Whether the goal is meant for these.
    pub has_goal: bool,
}

impl Arrivals {
    /// Counts the arrivals of one series; `None` is a packet that never came.
    #[must_use]
    pub fn count(
        case: &str,
        side: &'static str,
        arrivals: &[Option<Duration>],
        limit: Duration,
        has_goal: bool,
    ) -> Self {
        Self {
            case: case.to_owned(),
            side,
            arrived: Summary::of(arrivals.iter().copied().flatten()),
            in_time: arrivals.iter().flatten().filter(|time| **time <= limit).count(),
            lost: arrivals.iter().filter(|time| time.is_none()).count(),
            has_goal,
        }
    }

    fn total(&self) -> usize {
        self.arrived.map_or(0, |arrived| arrived.n) + self.lost
    }

    fn verdict(&self, percent: u32) -> Option<Verdict> {
        let enough = self.in_time * 100 >= self.total() * percent as usize;
        self.has_goal.then(|| Verdict::on(enough))
    }
}

impl Fares {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(|row| row.verdict(self.goal)).collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut table =
            Table::new([["ms after ADD", "by", "n", "p50", "p90", "p99", "max", "lost", "in time", "goal"]]);
        for row in &self.rows {
            let number = |of: fn(Summary) -> Duration| cell(row.arrived.map(of), millis);
            table.push([
                row.case.clone(),
                row.side.to_owned(),
                row.total().to_string(),
                number(|arrived| arrived.p50),
                number(|arrived| arrived.p90),
                number(|arrived| arrived.p99),
                number(|arrived| arrived.max),
                row.lost.to_string(),
                row.in_time.to_string(),
                goal_cell(&format!(">= {} %", self.goal), row.verdict(self.goal)),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(late: usize, lost: usize) -> Arrivals {
        let mut times = vec![Some(Duration::from_micros(700)); 100 - late - lost];
        times.extend(vec![Some(Duration::from_secs(1)); late]);
        times.extend(vec![None; lost]);
        Arrivals::count("IPv4, later", "ours", &times, Duration::from_millis(2), true)
    }

    #[test]
    fn one_late_packet_in_a_hundred_is_allowed() {
        assert_eq!(arrivals(1, 0).verdict(99), Some(Verdict::Met));
        assert_eq!(arrivals(2, 0).verdict(99), Some(Verdict::NotMet));
    }

    #[test]
    fn a_lost_packet_counts_as_late() {
        assert_eq!(arrivals(0, 1).verdict(99), Some(Verdict::Met));
        assert_eq!(arrivals(1, 1).verdict(99), Some(Verdict::NotMet));
        assert_eq!(arrivals(1, 1).total(), 100);
    }

    #[test]
    fn a_table_shows_how_many_were_in_time() {
        let rows = vec![arrivals(1, 1)];
        let table = Fares { limit: Duration::from_millis(2), goal: 99, rows }.table().to_string();
        assert!(table.contains("IPv4, later   ours  100  0.70  0.70  1000  1000     1       98"), "{table}");
        assert!(table.contains(">= 99 %  NOT MET"), "{table}");
    }
}
