//! Data on standard output: lines for people, or JSON for programs.

mod options;
mod table;

use std::fmt::Display;
use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;

pub(crate) use self::options::{Choice, Format, LongOutput, LongPretty, Options, Printing};
use self::table::Table;

/// Why data cannot be printed.
#[derive(Debug, thiserror::Error)]
#[error("write to standard output")]
pub(crate) struct Error {
    #[from]
    source: io::Error,
}

impl Error {
    /// Whether the reader has gone, having read enough (`netctl … | head -1`): no reason to complain.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.source.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Standard output. What is printed has its `Display` for people and its `Serialize` for programs.
#[derive(Debug)]
pub(crate) struct Output {
    choice: Choice,
    stdout: BufWriter<StdoutLock<'static>>,
}

impl Output {
    /// As the root's options say, until a command's are heeded.
    pub(crate) fn new(root: impl Into<Choice>) -> Self {
        Self { choice: root.into(), stdout: BufWriter::new(io::stdout().lock()) }
    }

    /// Prints from now on as options say that stand closer to the command.
    pub(crate) fn heed(&mut self, options: impl Into<Choice>) {
        self.choice = self.choice.refined_by(options.into());
    }

    /// Prints a list: a line an item, or a JSON array.
    pub(crate) fn list<T: Display + Serialize>(&mut self, items: &[T]) -> Result<(), Error> {
        if self.is_json() {
            return self.json(items);
        }
        for item in items {
            self.line(item)?;
        }
        Ok(())
    }

    /// Prints something that has just happened, at once: a line, or a JSON object in a line.
    pub(crate) fn event<T: Display + Serialize>(&mut self, event: &T) -> Result<(), Error> {
        match self.is_json() {
            true => self.json(event)?,
            false => self.line(event)?,
        }
        self.finish()
    }

    /// Prints rows for people: columns below `headers`. Programs get nothing from it, but a list of their own.
    pub(crate) fn table<const N: usize>(
        &mut self,
        headers: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Result<(), Error> {
        match self.is_json() {
            true => Ok(()),
            false => self.line(Table::new(headers, rows)),
        }
    }

    /// Prints a line for people, whatever the options say.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Error> {
        Ok(writeln!(self.stdout, "{line}")?)
    }

    /// Prints a whole text that is neither a list nor a value, whatever the options say.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Error> {
        Ok(self.stdout.write_all(text)?)
    }

    /// Where a stream of bytes goes that is too long to be held.
    pub(crate) fn writer(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Whether programs read this.
    pub(crate) fn is_json(&self) -> bool {
        self.choice.is_json()
    }

    /// Sees to it that everything printed so far is out.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        Ok(self.stdout.flush()?)
    }

    /// Prints JSON, whatever the options say but for its indentation.
    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let written = match self.choice.is_pretty() {
            true => serde_json::to_writer_pretty(&mut self.stdout, value),
            false => serde_json::to_writer(&mut self.stdout, value),
        };
        written.map_err(io::Error::from)?;
        self.line("")
    }
}
