//! Memory and files.

use super::{Verdict, cell, goal_cell};
use crate::series::Pair;
use crate::table::Table;
use serde::Serialize;

/// Memory and files, one row for each thing.
#[derive(Clone, Debug, Serialize)]
pub struct Sizes {
    /// The rows.
    pub rows: Vec<Size>,
}

/// How large something is.
#[derive(Clone, Debug, Serialize)]
pub struct Size {
    /// What.
    pub what: String,
    /// Bytes on either side.
    pub bytes: Pair<u64>,
    /// Bytes that ours should not exceed.
    pub goal: Option<Unit>,
}

/// A number of bytes by which goals are named: 1 MB is a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Unit(u64);

impl Unit {
    /// So many megabytes.
    #[must_use]
    pub const fn megabytes(number: u64) -> Self {
        Self(number * 1_000_000)
    }
}

impl Size {
    fn verdict(&self) -> Option<Verdict> {
        self.goal.map(|goal| Verdict::on(self.bytes.ours < goal.0))
    }
}

impl Sizes {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().filter_map(Size::verdict).collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new([["MB", "reference", "ours", "ratio", "goal"]]);
        for row in &self.rows {
            let Pair { reference, ours } = row.bytes.map(megabytes);
            let goal = cell(row.goal, |goal| format!("< {:.0}", megabytes(goal.0)));
            table.push([
                row.what.clone(),
                format!("{reference:.2}"),
                format!("{ours:.2}"),
                cell((ours > 0.0).then(|| reference / ours), super::times),
                goal_cell(&goal, row.verdict()),
            ]);
        }
        table
    }
}

#[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_megabytes_are_too_much() {
        let size = |ours| Size {
            what: "memory".to_owned(),
            bytes: Pair { reference: 12_000_000, ours },
            goal: Some(Unit::megabytes(3)),
        };
        let sizes = Sizes { rows: vec![size(2_999_999), size(3_000_000)] };
        assert_eq!(sizes.verdicts(), [Verdict::Met, Verdict::NotMet]);
        let table = sizes.table().to_string();
        assert!(table.contains("memory      12.00  3.00   4.00  < 3      met"), "{table}");
    }
}
