//! Go's templates over JSON, as far as people write them after --format.
//!
//! ```no_run
//! let network = serde_json::json!({
//!     "Name": "backend",
//!     "IPAM": { "Config": [{ "Subnet": "172.18.0.0/16" }] },
//! });
//! let template = template::Template::parse("{{.Name}}: {{range .IPAM.Config}}{{.Subnet}}{{end}}")?;
//! assert_eq!(template.render(&network)?, "backend: 172.18.0.0/16");
//! # Ok::<(), template::Error>(())
//! ```
//!
//! [`Template`] is what `inspect` takes, [`Listing`] what `ls` and `ps` take, `table` and `json` included.
//!
//! **What there is.** Fields (`.A.B`, `(…).A`, `$x.A`), `index`, pipelines, `if`, `with`, `range` and their `else`,
//! variables, comments, trimming (`{{-`, `-}}`), Go's functions `and or not eq ne lt le gt ge len index slice print
//! printf println` (`printf` knows `%s %v %d %q %%`) and Docker's `json split join title lower upper pad truncate`.
//! Not there, and an error that says so: `define`, `template`, `block`, `break`, `continue`.
//!
//! **What JSON cannot tell.** Go knows whether `.A` asks a struct, where a name that is not there is an error, or a
//! map, where it is nothing. JSON has objects for both. An object counts as a map when it is empty, or when the field
//! that led to it is one that Docker fills with a map (`Labels`, `Options`, `Networks`, …: `datum::MAPS`); any other
//! is a struct. `index` takes every object for a map. What a map lacks is the empty text to `index` where its other
//! values are texts, and else null. `null` stands for Go's nil, empty lists and maps included: its length is 0,
//! `range` finds nothing in it.
//!
//! **Where we leave Go.** What Go prints as `%!d(string=x)` is an error here, and so are too few or too many arguments
//! of `printf`. Numbers compare by their value, whether written `1` or `1.0`. Lists of anything can be joined.
//! `truncate` and `slice` never cut a character in two. A field that is an object may be called with a key, which is
//! how `{{.Label "tier"}}` reads in Docker, where `Label` is a method.
//!
//! **Limits.** A template nests [`MAX_DEPTH`] deep, makes [`MAX_TEXT`] bytes and takes [`MAX_STEPS`] steps at most:
//! whoever may write a format may not stop the program with it.

mod ast;
mod budget;
mod columns;
mod compare;
mod datum;
mod error;
mod eval;
mod functions;
mod header;
mod lexer;
mod listing;
mod literal;
mod nearest;
mod parser;
mod print;
#[cfg(test)]
mod tests;

pub use budget::{MAX_STEPS, MAX_TEXT};
pub use datum::Kind;
pub use error::{Error, Position};
pub use listing::Listing;
pub use parser::MAX_DEPTH;

use budget::Budget;
use lexer::Escapes;
use serde_json::Value;

/// A template that can be rendered: its syntax is right, its functions and variables are there.
#[derive(Debug, Clone)]
pub struct Template {
    nodes: Vec<ast::Node>,
}

impl Template {
    /// Reads `text` as Docker's `inspect` does: what stands outside of actions stays as it is.
    ///
    /// # Errors
    /// When it is no template. The error knows the place.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text, Position::START, Escapes::Keep)
    }

    /// Reads `text` as Docker's `ls` and `ps` do: `\t` and `\n` outside of actions mean a tab and a new line.
    ///
    /// # Errors
    /// When it is no template. The error knows the place.
    pub fn parse_line(text: &str) -> Result<Self, Error> {
        Self::read(text, Position::START, Escapes::Turn)
    }

    fn read(text: &str, start: Position, escapes: Escapes) -> Result<Self, Error> {
        let nodes = parser::parse(&lexer::lex(text, start, escapes)?)?;
        Ok(Self { nodes })
    }

    /// What the template makes of `value`.
    ///
    /// # Errors
    /// When the value has not what the template asks for, or a limit is reached. The error knows the place.
    pub fn render(&self, value: &Value) -> Result<String, Error> {
        eval::render(&self.nodes, value, &mut Budget::new())
    }
}
