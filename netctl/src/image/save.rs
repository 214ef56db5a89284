//! `netctl save`

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use images::{SaveError, Store};

use super::place::Place;
use crate::files;
use crate::output::Output;
use crate::report::Failure;

/// Write images to an archive that docker, podman, containerd and skopeo read
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Save {
    /// Write this file [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// The images: names, or ids of which the first digits are enough
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
The archive is an OCI layout with the list of `docker save`; the same images make the same bytes.

Examples:
  netctl save -o busybox.tar busybox
  netctl save alpine | gzip > alpine.tar.gz

Exit codes:
  0  done
  1  failed; no file was left, and the reason is on standard error
  2  the command line cannot be understood";

impl Save {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let wanted: Vec<&str> = self.images.iter().map(String::as_str).collect();
        let store = self.place.store()?;
        match &self.output {
            Some(path) => to_file(&store, &wanted, path)?,
            None if io::stdout().is_terminal() => {
                let hint = "`netctl save -o FILE IMAGE` writes a file";
                return Err(Failure::from(Terminal).hint(hint.to_owned()));
            }
            None => store.save(&wanted, output.writer()).map_err(failed)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The file appears whole, or what was there stays.
fn to_file(store: &Store, wanted: &[&str], path: &Path) -> Result<(), Failure> {
    let wrong = |doing: &'static str| {
        let path = path.to_owned();
        move |source| Failure::from(Unwritten { doing, path, source })
    };
    // A device or a pipe is written to, and not replaced.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let file = File::options().write(true).open(path).map_err(wrong("open"))?;
        return write(store, wanted, file)?.map_err(wrong("write"));
    }
    let new = files::beside(path);
    let file = claim(&new).map_err(wrong("create"))?;
    let written = write(store, wanted, file.try_clone().map_err(wrong("create"))?);
    let written = written.and_then(|flushed| flushed.map_err(wrong("write")));
    let written = written.and_then(|()| files::move_to(&new, path).map_err(wrong("replace")));
    written.inspect_err(|_| drop(files::remove(&new)))
}

/// What the store says fails at once; what the file says is for whoever knows its name.
fn write(store: &Store, wanted: &[&str], file: File) -> Result<io::Result<()>, Failure> {
    let mut writer = BufWriter::new(file);
    store.save(wanted, &mut writer).map_err(failed)?;
    Ok(writer.flush())
}

/// A file that nobody else writes meanwhile: what a killed program left of it has no lock any more.
fn claim(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).create(true).truncate(false).open(path)?;
    file.try_lock().map_err(|_| io::Error::new(io::ErrorKind::ResourceBusy, "another program writes it"))?;
    // Whoever had the lock until now may have moved the file to its place.
    let is_there =
        fs::metadata(path).is_ok_and(|found| found.ino() == file.metadata().map_or(0, |own| own.ino()));
    if !is_there {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another program has just written it"));
    }
    file.set_len(0)?;
    Ok(file)
}

fn failed(error: SaveError) -> Failure {
    Failure::with(error, SaveError::hint)
}

#[derive(Debug, thiserror::Error)]
#[error("write an archive to standard output: it is a terminal")]
struct Terminal;

#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
struct Unwritten {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}
