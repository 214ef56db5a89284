//! Writing down what a container prints.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::log::{Line, Stream};

/// The longest piece of a line that is kept in one piece, in bytes; as Docker has it.
const LONGEST: usize = 16 * 1024;

/// Writes a log.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    /// What has no end of line yet, of standard output and of standard error.
    pending: [Vec<u8>; 2],
}

impl Writer {
    /// Goes on with the log at `path`; it is made if it is not there.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
        let file = opened.map_err(FileError::new("open", path))?;
        Ok(Self { path: path.to_owned(), file, pending: [Vec::new(), Vec::new()] })
    }

    /// Writes down what was printed: whole lines at once, and the rest when its line ends.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn write(&mut self, stream: Stream, printed: &[u8], time: &str) -> Result<(), FileError> {
        let pending = &mut self.pending[stream as usize];
        let mut text = Vec::new();
        for piece in printed.split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            while pending.len() >= LONGEST {
                let rest = pending.split_off(cut(pending));
                compose(&mut text, stream, &std::mem::replace(pending, rest), time);
            }
            if pending.last() == Some(&b'\n') {
                compose(&mut text, stream, pending, time);
                pending.clear();
            }
        }
        self.append(&text)
    }

    /// Writes down what will never have an end of line.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn finish(&mut self, time: &str) -> Result<(), FileError> {
        let mut text = Vec::new();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pending = std::mem::take(&mut self.pending[stream as usize]);
            if !pending.is_empty() {
                compose(&mut text, stream, &pending, time);
            }
        }
        self.append(&text)
    }

    /// In one piece, so that readers see whole lines.
    fn append(&mut self, text: &[u8]) -> Result<(), FileError> {
        match text.is_empty() {
            true => Ok(()),
            false => self.file.write_all(text).map_err(FileError::new("write", &self.path)),
        }
    }
}

/// Where a line that is too long is cut: not within a character.
fn cut(line: &[u8]) -> usize {
    let is_begin = |byte: u8| byte & 0b1100_0000 != 0b1000_0000;
    (LONGEST - 4..=LONGEST)
        .rev()
        .find(|at| line.get(*at).is_none_or(|byte| is_begin(*byte)))
        .unwrap_or(LONGEST)
}

fn compose(text: &mut Vec<u8>, stream: Stream, line: &[u8], time: &str) {
    let log = String::from_utf8_lossy(line).into_owned();
    // A string and two words always become JSON.
    if serde_json::to_writer(&mut *text, &Line { log, stream, time: time.to_owned() }).is_ok() {
        text.push(b'\n');
    }
}
