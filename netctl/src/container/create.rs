//! `netctl container create`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use runner::{Container, Engine, StoreError};

use super::flags::Flags;
use super::place::Place;
use super::run::write_new;
use crate::output::Output;
use crate::report::Failure;

/// Make a container without starting it, and print its id
#[derive(Debug, Args)]
#[command(after_help = HELP, disable_help_flag = true)]
pub(crate) struct Create {
    /// Write its id to this file, which must not be there
    #[arg(long, value_name = "FILE")]
    cidfile: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    place: Place,
}

const HELP: &str = "\
`netctl create` makes networks; this makes containers.

Examples:
  netctl container create --name b1 -p 111:1232 busybox nc -l -p 1232 -e cat
  netctl start b1

Exit codes:
  0    done
  125  it could not be made; the reason is on standard error
  2    the command line cannot be understood";

impl Create {
    pub(crate) fn run(self, output: &mut Output) -> Result<ExitCode, Failure> {
        let engine = self.place.engine();
        let container = create(&self.place, &engine, self.flags, true)?;
        if let Some(file) = &self.cidfile {
            write_id(file, &container).inspect_err(|_| drop(engine.remove(&container, true)))?;
        }
        output.line(container.id())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes the container. Its image cannot be removed on the way.
pub(super) fn create(
    place: &Place,
    engine: &Engine,
    flags: Flags,
    is_detached: bool,
) -> Result<Container, Failure> {
    let _hold = match flags.has_image() {
        true => Some(
            place.images()?.hold().map_err(|error| Failure::with(error, images::Error::hint).code(125))?,
        ),
        false => None,
    };
    let config = flags.config(place, is_detached)?;
    engine.store.create(config).map_err(|error| Failure::with(error, StoreError::hint).code(125))
}

/// Writes a container's id to a file.
pub(super) fn write_id(file: &Path, container: &Container) -> Result<(), Failure> {
    #[derive(Debug, thiserror::Error)]
    #[error("--cidfile: create {}", path.display())]
    struct NotWritten {
        path: PathBuf,
        source: std::io::Error,
    }
    let path = file.to_owned();
    write_new(&path, container.id().as_str())
        .map_err(|source| Failure::from(NotWritten { path, source }).code(125))
}
