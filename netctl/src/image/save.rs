//! `netctl save`

use std::fs;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueHint};
use images::{SaveError, Store};

use super::place::Place;
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
    let is_special = fs::metadata(path).is_ok_and(|found| !found.is_file());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = if is_special { path.to_owned() } else { path.with_file_name(name) };
    let file = fs::File::create(&temporary).map_err(wrong("create"))?;
    let mut writer = BufWriter::new(file);
    let saved = store.save(wanted, &mut writer).map_err(failed);
    let saved = saved.and_then(|()| writer.flush().map_err(wrong("write")));
    let saved = saved.and_then(|()| match is_special {
        true => Ok(()),
        false => fs::rename(&temporary, path).map_err(wrong("replace")),
    });
    saved.inspect_err(|_| {
        if !is_special {
            let _ = fs::remove_file(&temporary);
        }
    })
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
