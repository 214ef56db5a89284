//! What containers print, kept line by line: Docker's `json-file`, so that whoever reads those reads these.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use serde::{Deserialize, Serialize};

pub use reader::{Options, Reader};
pub use writer::Writer;

/// One line of what a container printed, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it printed, with the end of the line if it had one.
    pub log: String,
    /// Where.
    pub stream: Stream,
    /// When: RFC 3339, UTC.
    pub time: String,
}

/// Where a container prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output, or its terminal.
    Stdout,
    /// Standard error.
    Stderr,
}
