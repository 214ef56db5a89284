//! Reading what a container printed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::log::Line;

/// Which lines are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Only so many of the last ones.
    pub tail: Option<usize>,
    /// Only those since then.
    pub since: Option<jiff::Timestamp>,
    /// Only those until then.
    pub until: Option<jiff::Timestamp>,
}

impl Options {
    fn accepts(&self, line: &Line) -> bool {
        let Ok(time) = line.time.parse::<jiff::Timestamp>() else { return true };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

/// Reads a log, and goes on reading as it grows.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    options: Options,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
    ready: VecDeque<Line>,
}

impl Reader {
    /// The log at `path`; nothing, if the container has never printed.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn open(path: &Path, options: Options) -> Result<Option<Self>, FileError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(FileError::new("open", path))?,
        };
        let mut reader = Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            options,
            begun: Vec::new(),
            ready: VecDeque::new(),
        };
        if let Some(tail) = options.tail {
            reader.skip_to_tail(tail)?;
        }
        Ok(Some(reader))
    }

    /// The next line; nothing, when there is none yet. May be asked again when the log has grown.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn next_line(&mut self) -> Result<Option<Line>, FileError> {
        if let Some(line) = self.ready.pop_front() {
            return Ok(Some(line));
        }
        loop {
            let line = self.read_line()?;
            match line {
                None => return Ok(None),
                Some(line) if self.options.accepts(&line) => return Ok(Some(line)),
                Some(_) => {}
            }
        }
    }

    /// Reads what is there, and keeps the last lines of it. A log that is long is read from its end.
    fn skip_to_tail(&mut self, tail: usize) -> Result<(), FileError> {
        let from = self.beginning_of_tail(tail)?;
        self.file.seek(SeekFrom::Start(from)).map_err(FileError::new("read", &self.path))?;
        while let Some(line) = self.read_line()? {
            if self.options.accepts(&line) {
                self.ready.push_back(line);
            }
            if self.ready.len() > tail {
                self.ready.pop_front();
            }
        }
        Ok(())
    }

    /// Where the last `tail` lines of the file begin.
    fn beginning_of_tail(&mut self, tail: usize) -> Result<u64, FileError> {
        const BLOCK: u64 = 64 * 1024;
        let wrong = || FileError::new("read", &self.path);
        let file = self.file.get_mut();
        let mut at = file.seek(SeekFrom::End(0)).map_err(wrong())?;
        let mut ends = 0;
        while at > 0 {
            let begin = at.saturating_sub(BLOCK);
            let mut block = vec![0; usize::try_from(at - begin).unwrap_or(0)];
            file.seek(SeekFrom::Start(begin)).map_err(wrong())?;
            file.read_exact(&mut block).map_err(wrong())?;
            for (place, _) in block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
                // The end of the last line that is wanted not.
                if ends == tail + 1 {
                    return Ok(begin + place as u64 + 1);
                }
                ends += 1;
            }
            at = begin;
        }
        Ok(0)
    }

    /// The next whole line of the file. What is no line of a log, such as one that was torn by a power cut, is skipped.
    fn read_line(&mut self) -> Result<Option<Line>, FileError> {
        loop {
            let read = self.file.read_until(b'\n', &mut self.begun);
            read.map_err(FileError::new("read", &self.path))?;
            if self.begun.last() != Some(&b'\n') {
                return Ok(None);
            }
            let text = std::mem::take(&mut self.begun);
            if let Ok(line) = serde_json::from_slice(&text) {
                return Ok(Some(line));
            }
        }
    }
}
