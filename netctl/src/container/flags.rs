//! The flags by which a container is asked for, shared by `run` and `container create`.

mod environment;
mod limits;
mod named;
mod networking;
mod privileges;
mod program;
mod text;
mod volumes;

use std::path::PathBuf;

use clap::{Args, ValueHint};
use images::Image;
use runner::{Config, Id, Mode, Name, Source};

use super::place::Place;
use crate::parse::in_full;
use crate::report::{self, Failure};

/// A flag that cannot be honoured: which, with which value, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {value:?}: {reason}")]
pub(super) struct Invalid {
    flag: &'static str,
    value: String,
    reason: String,
}

impl Invalid {
    pub(super) fn new(flag: &'static str, value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { flag, value: value.into(), reason: reason.into() }
    }
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// The container's name [default: two words]
    #[arg(long, value_parser = in_full::<Name>)]
    name: Option<Name>,
    /// Make the root file system of this folder of the host, `/` included, which stays as it is; then no IMAGE is named
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    rootfs: Option<PathBuf>,
    /// Remove the container when it ends
    #[arg(long)]
    rm: bool,
    /// Start it by this OCI runtime, such as crun or runc, instead of netctl itself
    #[arg(long, value_name = "PATH")]
    runtime: Option<PathBuf>,
    /// Note KEY=VALUE of it
    #[arg(short, long, value_name = "KEY=VALUE")]
    label: Vec<String>,
    #[command(flatten)]
    program: program::Flags,
    #[command(flatten)]
    networking: networking::Flags,
    #[command(flatten)]
    volumes: volumes::Flags,
    #[command(flatten)]
    privileges: privileges::Flags,
    #[command(flatten)]
    limits: limits::Flags,
    /// Print help
    #[arg(long, action = clap::ArgAction::HelpLong)]
    help: Option<bool>,
    /// The image, unless there is a --rootfs, then the command and its arguments
    #[arg(value_name = "IMAGE | COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Flags {
    /// Whether an image is named.
    pub(super) const fn has_image(&self) -> bool {
        self.rootfs.is_none()
    }

    /// Whether the container has a terminal, and whether somebody can type.
    pub(super) const fn terminal(&self) -> (bool, bool) {
        (self.program.tty, self.program.interactive)
    }

    /// Everything that is asked for. What the mode cannot honour is refused, or told of.
    pub(super) fn config(self, place: &Place, is_detached: bool) -> Result<Config, Failure> {
        let store = place.store();
        let (source, image, words) = self.source(place)?;
        let mode = self.networking.mode(&store)?;
        let notes = runner::networks::check(&mode, &self.networking.asked())
            .map_err(|error| Failure::with(error, |error| error.hint().map(str::to_owned)).code(125))?;
        notes.iter().for_each(report::note);
        let id = Id::from_bytes(named::random_bytes()?);
        let name = match &self.name {
            Some(name) => name.clone(),
            None => named::free(&store, &id)?,
        };
        let mut config = Config::new(id, name, source, mode);
        self.fill(&mut config, image.as_ref(), words, is_detached)
            .map_err(|error| Failure::from(error).code(125))?;
        Ok(config)
    }

    fn fill(
        self,
        config: &mut Config,
        image: Option<&Image>,
        words: Vec<String>,
        is_detached: bool,
    ) -> Result<(), Invalid> {
        let of_image = image.map(|image| &image.configuration.config);
        config.program = self.program.program(of_image, words, is_detached)?;
        config.ports = self.networking.ports(of_image, matches!(config.mode, Mode::Networks(_)));
        config.names = self.networking.names()?;
        (config.volumes, config.tmpfs) = self.volumes.volumes()?;
        config.privileges = self.privileges.privileges()?;
        config.sysctl = self.privileges.sysctl()?;
        config.limits = self.limits.limits()?;
        config.labels = of_image.map(|image| image.labels.clone()).unwrap_or_default();
        for label in &self.label {
            let (key, value) = label.split_once('=').unwrap_or((label, ""));
            config.labels.insert(key.to_owned(), value.to_owned());
        }
        config.auto_remove = self.rm;
        if let (Some(program), true) = (&self.runtime, config.program.init) {
            let reason = "the reaper of --init is netctl's own, which this runtime does not know";
            return Err(Invalid::new("--runtime", program.display().to_string(), reason));
        }
        config.runtime = self.runtime.as_deref().map(runtime).transpose()?;
        Ok(())
    }

    /// What the root file system is made of, and the words that are left for the command.
    fn source(&self, place: &Place) -> Result<(Source, Option<Image>, Vec<String>), Failure> {
        // Whatever stands where the image should may begin with a hyphen, as arguments of the command may.
        if let Some(word) = self.words.first().filter(|word| word.starts_with('-')) {
            let hint = "`netctl run --help` shows which there are; they stand before the image".to_owned();
            return Err(Failure::from(UnknownFlag(word.clone())).hint(hint).code(125));
        }
        if let Some(folder) = &self.rootfs {
            let wrong = |reason: String| {
                Failure::from(Invalid::new("--rootfs", folder.display().to_string(), reason)).code(125)
            };
            let folder = folder.canonicalize().map_err(|error| wrong(error.to_string()))?;
            if !folder.is_dir() {
                return Err(wrong("not a folder".to_owned()));
            }
            return Ok((Source::Folder(folder), None, self.words.clone()));
        }
        let Some((wanted, words)) = self.words.split_first() else {
            let missing = Failure::from(NoImage).code(125);
            return Err(missing.hint("name one, or --rootfs DIR: `netctl run --rootfs / true`".to_owned()));
        };
        let image = place
            .images()?
            .find(wanted)
            .map_err(|error| Failure::with(error, images::Error::hint).code(125))?;
        let used = runner::ImageUse { id: image.id.to_string(), name: wanted.clone() };
        Ok((Source::Image(used), Some(image), words.to_vec()))
    }
}

/// The runtime's own path: it is executed by a monitor, whose PATH may be another.
fn runtime(named: &std::path::Path) -> Result<PathBuf, Invalid> {
    let wrong = |reason: &str| Invalid::new("--runtime", named.display().to_string(), reason);
    if named.components().count() > 1 {
        return named.canonicalize().map_err(|error| wrong(&error.to_string()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(named)).find(|file| file.is_file());
    found.ok_or_else(|| wrong("there is no such program in PATH"))
}

#[derive(Debug, thiserror::Error)]
#[error("unknown option {0}")]
struct UnknownFlag(String);

#[derive(Debug, thiserror::Error)]
#[error("no image is named")]
struct NoImage;
