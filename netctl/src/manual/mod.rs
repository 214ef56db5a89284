//! `netctl man`: the manual, made of what the commands say of themselves.

mod page;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command, ValueHint};

pub(crate) use self::page::{Page, pages};
use crate::files;
use crate::output::Output;
use crate::report::Failure;

/// Print the manual page of netctl, or write those of all commands
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// Write a page for every command into this directory, and make it if need be
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
`netctl install` puts all pages where `man` looks for them.

Examples:
  netctl man | man -l -
  netctl man --dir ~/.local/share/man/man1";

/// Why there is no manual.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("create directory {}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("write {}", file.display())]
    Write { file: PathBuf, source: io::Error },
}

impl Man {
    pub(crate) fn run(self, line: Command, output: &mut Output) -> Result<ExitCode, Failure> {
        let pages = pages(line);
        match (self.dir, pages.first()) {
            (Some(folder), _) => write(&folder, &pages)?,
            (None, Some(root)) => output.text(root.text.as_bytes())?,
            (None, None) => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write(folder: &Path, pages: &[Page]) -> Result<(), Error> {
    files::ensure_folder(folder).map_err(|source| Error::Folder { folder: folder.to_owned(), source })?;
    for page in pages {
        let file = folder.join(page.file_name());
        files::write(&file, &mut page.text.as_bytes(), 0o644)
            .map_err(|source| Error::Write { file, source })?;
    }
    Ok(())
}
