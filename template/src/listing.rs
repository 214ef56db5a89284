//! `--format` of commands that list: `table`, `json`, or a line for each row.

use crate::budget::Budget;
use crate::error::{Error, Position};
use crate::lexer::Escapes;
use crate::{Template, columns, eval, header};
use serde_json::Value;

const TABLE: &str = "table";

/// How rows are listed.
///
/// ```no_run
/// let rows = [serde_json::json!({ "Name": "backend", "Driver": "bridge" })];
/// let listing = template::Listing::parse(r"table {{.Name}}\t{{.Driver}}", "{{.Name}}")?;
/// assert_eq!(listing.render(&rows, &[])?, "NAME      DRIVER\nbackend   bridge\n");
/// # Ok::<(), template::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Listing {
    template: Template,
    is_table: bool,
}

impl Listing {
    /// Reads what stands after `--format`: `json`, `table TEMPLATE`, `TEMPLATE`, or `table` alone, which is
    /// `standard`, the template of the command's own table.
    ///
    /// # Errors
    /// When the template is none. The error knows the place, counted in what was written.
    pub fn parse(text: &str, standard: &str) -> Result<Self, Error> {
        let is_table =
            text.strip_prefix(TABLE).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()));
        let (word, template) = text.split_at(if is_table { TABLE.len() } else { 0 });
        let trimmed = template.trim_start_matches(' ');
        let start = Position::START.after(word).after(&template[..template.len() - trimmed.len()]);
        let template = match trimmed.trim_end_matches(' ') {
            "" if is_table => Template::parse_line(standard)?,
            "json" if !is_table => Template::parse("{{json .}}")?,
            template => Template::read(template, start, Escapes::Turn)?,
        };
        Ok(Self { template, is_table })
    }

    /// A line for each row. A table has its columns aligned, and a first line of titles: those of `titles` (`("ID",
    /// "NETWORK ID")`) where the field is there, otherwise its name, as `CreatedAt` is `CREATED AT`.
    ///
    /// # Errors
    /// When a row has not what the template asks for, or a limit is reached.
    pub fn render(&self, rows: &[Value], titles: &[(&str, &str)]) -> Result<String, Error> {
        let (nodes, budget) = (&self.template.nodes, &mut Budget::new());
        let mut text = String::new();
        if self.is_table {
            text = header::header(nodes, titles, budget)? + "\n";
        }
        for row in rows {
            text.push_str(&eval::render(nodes, row, budget)?);
            text.push('\n');
        }
        if !self.is_table {
            return Ok(text);
        }
        columns::align(&text, budget).map_err(|refusal| refusal.at(Position::START, TABLE))
    }
}
