//! Plain tables: columns as wide as their widest cell, numbers to the right.

use std::fmt;

/// A plain table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    headings: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these lines of headings, the first of which may name groups of columns.
    pub fn new<const N: usize>(headings: impl IntoIterator<Item = [&'static str; N]>) -> Self {
        let rows: Vec<Vec<String>> =
            headings.into_iter().map(|line| line.map(str::to_owned).to_vec()).collect();
        Self { headings: rows.len(), rows }
    }

    /// Adds a row. The first and the last cell are words, the others numbers.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        (0..columns).map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let last = widths.len().saturating_sub(1);
        for (number, row) in self.rows.iter().enumerate() {
            if number == self.headings {
                let total = widths.iter().sum::<usize>() + 2 * last;
                writeln!(f, "  {}", "-".repeat(total))?;
            }
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padded = if column == 0 || column == last {
                    format!("  {cell:<width$}")
                } else {
                    format!("  {cell:>width$}")
                };
                line.push_str(&padded);
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new([["", "ours", ""], ["case", "p50", "goal"]]);
        table.push(["bridge ADD", "1.27", "met"].map(str::to_owned));
        table.push(["floor", "110", ""].map(str::to_owned));
        let expected = "\n              ours\n  case         p50  goal\n  ----------------------\n  \
                        bridge ADD  1.27  met\n  floor        110\n";
        assert_eq!(format!("\n{table}"), expected);
    }

    #[test]
    fn an_empty_table_is_its_headings() {
        assert_eq!(Table::new([["a", "b"]]).to_string(), "  a  b\n");
    }
}
