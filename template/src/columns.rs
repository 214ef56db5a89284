//! Lines whose tabs become columns, as Docker's tables have them.
//!
//! A cell is what a tab ends. Cells above each other in lines that follow each other are a column; it is as wide as
//! its widest cell and the gap, and at least [`LEAST`]. What stands after a line's last tab is no cell and is not
//! filled up.

use crate::budget::Budget;
use crate::functions::Refusal;

/// White space between columns.
const GAP: usize = 3;

/// The least width of a column, its gap counted.
const LEAST: usize = 10;

/// `text` with its tabs replaced by white space, of which one long cell makes much in a long table.
pub(crate) fn align(text: &str, budget: &mut Budget) -> Result<String, Refusal> {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    let most = lines.iter().map(|cells| cells.len() - 1).max().unwrap_or(0);
    for column in 0..most {
        fit(&lines, &mut widths, column);
    }
    let mut aligned = String::new();
    for (number, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        if number > 0 {
            aligned.push('\n');
        }
        for (cell, width) in cells.iter().zip(widths) {
            budget.text(*width)?;
            aligned.push_str(cell);
            aligned.extend(std::iter::repeat_n(' ', width - length(cell)));
        }
        aligned.push_str(cells.last().copied().unwrap_or_default());
    }
    Ok(aligned)
}

/// Finds the width of the cells in `column`: those that follow each other without a gap have the same.
fn fit(lines: &[Vec<&str>], widths: &mut [Vec<usize>], column: usize) {
    let mut from = 0;
    while from < lines.len() {
        let cells = lines[from..].iter().take_while(|cells| cells.len() - 1 > column);
        let (count, widest) =
            cells.fold((0, 0), |(count, widest), cells| (count + 1, widest.max(length(cells[column]))));
        for widths in &mut widths[from..from + count] {
            widths.push((widest + GAP).max(LEAST));
        }
        from += count.max(1);
    }
}

fn length(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn align(text: &str) -> String {
        super::align(text, &mut Budget::new()).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_a_gap() {
        let text = "NAME\tDRIVER\tSCOPE\na-long-network\tbridge\tlocal\nb\tnone\tlocal\n";
        assert_eq!(
            align(text),
            "NAME             DRIVER    SCOPE\n\
             a-long-network   bridge    local\n\
             b                none      local\n"
        );
    }

    #[test]
    fn a_line_without_the_cell_ends_the_column() {
        let text = "a\tx\nlong-long-long\n\nlonger-than-ten\ty\tz\t\n";
        assert_eq!(align(text), "a         x\nlong-long-long\n\nlonger-than-ten   y         z         \n");
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(align("éééééééé\tx\nmmmmmmmm\ty"), "éééééééé   x\nmmmmmmmm   y");
        assert_eq!(align(""), "");
    }
}
