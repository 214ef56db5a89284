//! A directory and what of ours belongs into it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::facts::{Digests, Facts, Found, digest};
use super::manifest::Manifest;
use super::plan::{Obstacles, Origin, Plan, Strangers, Wanted, WantedFile, backup_of, plan_removal};
use super::share::Text;
use super::step::Step;

/// Why an installation cannot be planned or done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The programs to install are not there.
    #[error("find {name} beside the netctl that runs")]
    Source { name: &'static str, source: io::Error },
    /// A directory cannot be looked at.
    #[error("look at {}", file.display())]
    Look { file: PathBuf, source: io::Error },
    /// Files that netctl did not install are in the way.
    #[error("install into {}: {} there did not come with netctl", folder.display(), names(files))]
    Strangers { folder: PathBuf, files: Vec<PathBuf> },
    /// What is in the way cannot be put aside.
    #[error("install into {}: {} is in the way", folder.display(), names(files))]
    Immovable { folder: PathBuf, files: Vec<PathBuf> },
    /// A step fails.
    #[error("{step}")]
    Step { step: Step, source: io::Error },
    /// The manifest cannot be written.
    #[error("write {}", file.display())]
    Record { file: PathBuf, source: io::Error },
}

fn names(files: &[PathBuf]) -> String {
    let names = files.iter().filter_map(|file| file.file_name());
    names.map(|name| name.to_string_lossy()).collect::<Vec<_>>().join(", ")
}

impl Error {
    /// The way out.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Source { .. } => Some("`make build` makes both programs in one directory".to_owned()),
            Self::Strangers { .. } => Some(
                "--force replaces them and keeps them as NAME.netctl-orig, which `netctl uninstall` brings back"
                    .to_owned(),
            ),
            Self::Immovable { .. } => Some("move it out of the way first".to_owned()),
            Self::Look { .. } | Self::Step { .. } | Self::Record { .. } => None,
        }
    }
}

/// A directory and what is installed into it.
#[derive(Debug)]
pub(super) struct Bundle {
    folder: PathBuf,
    stock: Stock,
}

#[derive(Debug)]
enum Stock {
    /// A program, and its further names.
    Program { name: &'static str, links: Vec<&'static str> },
    /// What netctl writes itself.
    Texts(Vec<Text>),
}

impl Bundle {
    /// The plugins in their directory.
    pub(super) fn plugins(folder: &Path) -> Self {
        let links = netctl::PLUGINS.iter().map(|plugin| plugin.about().name).collect();
        Self { folder: folder.to_owned(), stock: Stock::Program { name: "netctl-cni", links } }
    }

    /// Netctl itself in a directory of programs.
    pub(super) fn program(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), stock: Stock::Program { name: "netctl", links: Vec::new() } }
    }

    /// Netctl's texts below a directory of such.
    pub(super) fn texts(folder: &Path, texts: Vec<Text>) -> Self {
        Self { folder: folder.to_owned(), stock: Stock::Texts(texts) }
    }

    pub(super) fn plan_install(&self, strangers: Strangers) -> Result<Plan, Error> {
        match &self.stock {
            Stock::Program { name, links } => {
                let missing = |source| Error::Source { name, source };
                let source = self.source(name).map_err(missing)?;
                let digest = digest(&source).map_err(missing)?;
                let program = WantedFile { name, digest: &digest, origin: Origin::Program(&source) };
                let links = links.iter().map(|link| WantedFile {
                    name: link,
                    origin: Origin::NameOf(name),
                    ..program
                });
                self.plan(std::iter::once(program).chain(links).collect(), strangers)
            }
            Stock::Texts(texts) => self.plan(texts.iter().map(Text::as_wanted).collect(), strangers),
        }
    }

    fn plan(&self, files: Vec<WantedFile<'_>>, strangers: Strangers) -> Result<Plan, Error> {
        let wanted = Wanted { folder: &self.folder, files };
        wanted.plan(&self.facts()?, strangers).map_err(|obstacles| self.error(obstacles))
    }

    pub(super) fn plan_uninstall(&self) -> Result<Plan, Error> {
        Ok(plan_removal(&self.folder, &self.facts()?))
    }

    /// Says in the manifest what may be ours from now on.
    pub(super) fn promise(&self, plan: &Plan) -> Result<(), Error> {
        if plan.steps.is_empty() { Ok(()) } else { self.write(&plan.promised) }
    }

    /// Says in the manifest what is ours now.
    pub(super) fn record(&self, plan: &Plan) -> Result<(), Error> {
        if self.manifest()? == plan.recorded { Ok(()) } else { self.write(&plan.recorded) }
    }

    fn write(&self, manifest: &Manifest) -> Result<(), Error> {
        let file = Manifest::path(&self.folder);
        manifest.write(&self.folder).map_err(|source| Error::Record { file, source })
    }

    fn manifest(&self) -> Result<Manifest, Error> {
        let look = |source| Error::Look { file: Manifest::path(&self.folder), source };
        Manifest::read(&self.folder).map_err(look)
    }

    /// The program as it was built: beside the netctl that runs. An installed netctl finds the plugins
    /// where it installed them, and can put back names that were lost.
    fn source(&self, name: &str) -> io::Result<PathBuf> {
        let beside = std::env::current_exe()?.with_file_name(name);
        let installed = self.folder.join(name);
        Ok(if !beside.exists() && installed.exists() { installed } else { beside })
    }

    fn names(&self) -> Vec<&str> {
        match &self.stock {
            Stock::Program { name, links } => std::iter::once(*name).chain(links.iter().copied()).collect(),
            Stock::Texts(texts) => texts.iter().map(|text| text.name.as_str()).collect(),
        }
    }

    fn facts(&self) -> Result<Facts, Error> {
        let manifest = self.manifest()?;
        let wanted = self.names().into_iter().map(str::to_owned);
        let mut names: Vec<String> = wanted.chain(manifest.files.keys().cloned()).collect();
        names.extend(names.clone().iter().map(|name| backup_of(name)));
        let folders = names.iter().filter_map(|name| self.folder.join(name).parent().map(Path::to_owned));
        let folders = folders.filter(|folder| folder.is_dir()).collect();
        let mut digests = Digests::default();
        let look = |name: String| {
            let file = self.folder.join(&name);
            let found = Found::look(&file, &mut digests).map_err(|source| Error::Look { file, source })?;
            Ok((name, found))
        };
        let found: BTreeMap<_, _> = names.into_iter().map(look).collect::<Result<_, Error>>()?;
        Ok(Facts::new(folders, manifest, found))
    }

    fn error(&self, obstacles: Obstacles) -> Error {
        let folder = self.folder.clone();
        match obstacles.strangers.is_empty() {
            true => Error::Immovable { folder, files: obstacles.immovable },
            false => Error::Strangers { folder, files: obstacles.strangers },
        }
    }
}
