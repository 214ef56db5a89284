//! Columns for people.

use std::fmt::{self, Display};

/// What stands between two columns.
const GAP: &str = "   ";

/// Rows below a header, in columns that are as wide as they have to be.
pub(super) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headers: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Self {
        let headers = headers.map(str::to_uppercase);
        let rows = rows.into_iter().map(|row| row.map(|cell| in_one_line(&cell)));
        Self { rows: std::iter::once(headers).chain(rows).collect() }
    }

    fn widths(&self) -> [usize; N] {
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        std::array::from_fn(width)
    }
}

/// What others wrote ends no line and does nothing to the terminal.
fn in_one_line(cell: &str) -> String {
    let shown = cell.chars().map(|char| match char {
        control if control.is_control() => control.escape_default().to_string(),
        char => char.to_string(),
    });
    shown.collect()
}

impl<const N: usize> Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join(GAP)
        };
        for (number, row) in self.rows.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "\n" })?;
            f.write_str(line(row).trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_no_line_ends_in_blanks() {
        let rows =
            [["web", "bridge", ""], ["grün", "a longer one", "local"]].map(|row| row.map(str::to_owned));
        let text = Table::new(["name", "driver", "scope"], rows).to_string();
        assert_eq!(
            text,
            "NAME   DRIVER         SCOPE\n\
             web    bridge\n\
             grün   a longer one   local"
        );
    }

    #[test]
    fn a_cell_stays_in_its_line() {
        let table = Table::new(["name"], [["\u{1b}[31mred\n".to_owned()]]).to_string();
        assert_eq!(table, "NAME\n\\u{1b}[31mred\\n");
    }

    #[test]
    fn a_table_without_rows_is_its_header() {
        assert_eq!(Table::new(["name", "driver"], []).to_string(), "NAME   DRIVER");
    }
}
